#!/bin/sh
# Makes what the manifests of this folder refer to, with a certificate authority of its own: certificates.yaml for the gateway, client.pem and
# client.key for curl, backend.pem and backend.key for backend.mjs. In a cluster cert-manager would. Run it again and all of it is new.
set -eu
cd "$(dirname "$0")"

make() { # make NAME SUBJECT EXTENSIONS: NAME.pem and NAME.key, signed by the authority
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf '%s\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm -f "$1.csr" "$1.ext"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=mtls example" -days 30 \
  -addext 'keyUsage=critical,keyCertSign' -keyout ca.key -out ca.pem 2>/dev/null
make client anna 'extendedKeyUsage=clientAuth'
make gateway edge-gateway 'extendedKeyUsage=clientAuth'
make backend payments 'subjectAltName=DNS:payments.internal'

{
  cat <<'YAML'
# Made by certificates.sh.
apiVersion: v1
kind: ConfigMap
metadata:
  name: authority
  namespace: shop
data:
  ca.crt: |
YAML
  sed 's/^/    /' ca.pem
  cat <<YAML
---
apiVersion: v1
kind: Secret
metadata:
  name: edge-gateway
  namespace: shop
type: kubernetes.io/tls
data:
  tls.crt: $(openssl base64 -A -in gateway.pem)
  tls.key: $(openssl base64 -A -in gateway.key)
YAML
} >certificates.yaml
rm -f ca.key ca.srl gateway.key gateway.pem
echo "made certificates.yaml, client.pem, backend.pem and their keys"
