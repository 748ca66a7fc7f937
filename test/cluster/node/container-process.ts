/**
 * One process of a container: in the pod's network, with a root folder of its own in which there is what its image has and what is
 * mounted, as the user that it asks for and without a way to become another one.
 */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Container, Pod } from '../objects.ts'
import { expand } from './environment.ts'
import type { Image } from './images.ts'

export type ContainerProcess = ChildProcessByStdio<null, Readable, Readable>

export interface ContainerPlace {
  /** The network namespace's file. */
  readonly network: string
  /** An empty folder for the root file system. */
  readonly root: string
  readonly hostsFile: string
  readonly folderOf: (volume: string) => string
}

/** Throws when the container cannot be run as it is described. */
export function startContainer(
  pod: Pod,
  container: Container,
  image: Image,
  environment: Readonly<Record<string, string>>,
  place: ContainerPlace,
): ContainerProcess {
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser ?? image.user
  const group = container.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup ?? (user === 0 ? 0 : user)
  if (user === 0 && (container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot) === true)
    throw new Error('container has runAsNonRoot and image will run as root')
  const groups = [group, ...(pod.spec.securityContext?.fsGroup === undefined ? [] : [pod.spec.securityContext.fsGroup])]
  const expanded = (words: readonly string[] = []): readonly string[] => words.map((word) => expand(word, environment))
  const command = container.command === undefined ? image.entrypoint : expanded(container.command)
  const program = [...command, ...expanded(container.args)]
  const script = [
    'set -e',
    `echo ${quote(pod.metadata.name)} > /proc/sys/kernel/hostname`,
    ...sysctls(pod).map(([name, value]) => `echo ${quote(value)} > /proc/sys/${name.replaceAll('.', '/')}`),
    ...rootFileSystem(container, image, place),
    ...(container.securityContext?.readOnlyRootFilesystem === true ? [`mount -o remount,bind,ro ${quote(place.root)}`] : []),
    // The last program takes this one's place: its process number is the container's.
    `exec chroot --userspec=${user}:${group} --groups=${groups.join(',')} ${quote(place.root)} ${inFolder(container, image, program)}`,
  ].join('\n')
  const args = [`--net=${place.network}`, 'unshare', '--mount', '--uts', '--ipc', 'setpriv', '--no-new-privs', 'sh', '-c', script]
  return spawn('nsenter', args, { detached: true, env: { PATH: image.path, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Pods bind low ports without privileges, as the runtimes of clusters let them. */
function sysctls(pod: Pod): readonly (readonly [string, string])[] {
  const asked = pod.spec.securityContext?.sysctls?.map(({ name, value }) => [name, value] as const) ?? []
  return [['net.ipv4.ip_unprivileged_port_start', '0'], ...asked]
}

function rootFileSystem(container: Container, image: Image, place: ContainerPlace): readonly string[] {
  const at = (path: string): string => quote(place.root + path)
  const files = Object.entries(image.files).filter(([, source]) => existsSync(source))
  return [
    `mount -t tmpfs -o mode=755 tmpfs ${at('')}`,
    `mkdir -p ${at('/proc')} ${at('/dev')} ${at('/etc')} ${at('/tmp')}`,
    `chmod 1777 ${at('/tmp')}`,
    `mount -t proc proc ${at('/proc')}`,
    `mount --rbind /dev ${at('/dev')}`,
    ...bind(place.hostsFile, place.root + '/etc/hosts', true),
    ...files.flatMap(([path, source]) => bind(source, place.root + path, true)),
    ...Object.entries(image.links).map(([path, target]) => `ln -s ${quote(target)} ${at(path)}`),
    ...(container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath, readOnly = false }) => {
      const source = subPath === undefined ? place.folderOf(name) : `${place.folderOf(name)}/${subPath}`
      return bind(source, place.root + mountPath, readOnly)
    }),
  ]
}

function bind(source: string, target: string, readOnly: boolean): readonly string[] {
  const isFolder = statSync(source).isDirectory()
  const made = isFolder
    ? `mkdir -p ${quote(target)}`
    : `mkdir -p ${quote(target.slice(0, target.lastIndexOf('/')))} && touch ${quote(target)}`
  return [made, `mount --bind ${readOnly ? '-o ro ' : ''}${quote(source)} ${quote(target)}`]
}

/** `chroot` goes to the root folder; where another one is wanted, the image must bring `env`. */
function inFolder(container: Container, image: Image, program: readonly string[]): string {
  const folder = container.workingDir ?? image.workingDir
  return [...(folder === '/' ? [] : ['/usr/bin/env', '-C', folder]), ...program].map(quote).join(' ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
