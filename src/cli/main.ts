#!/usr/bin/env node
/**
 * cli: the commands, and the only place that wires input and output to logic.
 *
 * This file knows the words a person types; each command is a file of its own and is loaded when it is asked for.
 * Exit status: 0 fine, 1 problems found, 2 wrong usage. A person's mistake is one line, never a stack trace unless `--debug`.
 */
import { Command, CommanderError, Option } from 'commander'
import { keepYoungGenerationSmall } from './memory.ts'
import { UserError } from './user-error.ts'
import { version } from './version.ts'

/** An option that may be given several times. */
function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description} (repeatable)`)
    .argParser((value: string, previous: readonly string[]) => [...previous, value])
    .default([], 'none')
}

function forwardedCertificates(): Option {
  const description = 'what backends are told, in X-Forwarded-Client-Cert, of certificates that clients show and that are verified'
  return new Option('--forward-client-certificate <what>', description).choices(['off', 'details', 'with-certificate']).default('off')
}

function withSource(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace of objects that name none', 'default')
    .addOption(repeatable('--set <VAR=value>', 'value of a ${VAR} in the manifests'))
    .option('--controller-name <name>', 'serve only GatewayClasses of this controllerName (without it: every class in the folder)')
}

function withCluster(command: Command): Command {
  return command.option('--kubeconfig <file>', 'look at a cluster: how to reach it').option('--context <name>', 'of the kubeconfig')
}

function withOutput(command: Command, ...formats: readonly string[]): Command {
  return command.addOption(new Option('-o, --output <format>', 'print for programs').choices([...formats]))
}

function withKindnesses(command: Command): Command {
  return command
    .addOption(repeatable('--service <ns/name:port=host:port>', 'send a Service to a local address'))
    .addOption(repeatable('--port <port=local>', 'where a port of the manifests listens, e.g. 80=9080'))
    .option('--strict', 'no kindness of a laptop: exactly what a cluster would serve', false)
    .option('--state-dir <folder>', 'where the development CA and the key of sessions are kept')
}

const acceptProxyProtocol = 'connections of these peers begin with a header of the PROXY protocol, which says whom they are for'

const checkHelp = `
A folder is seldom a whole cluster, so what it lacks (a class, a Gateway, a Service, a certificate) is a warning: another
folder may bring it. That holds for a Service with a nearly equal name beside it too: "Did you mean" names that one, and
shop-v1 beside somebody else's shop-v2 is no mistake. Errors are what is wrong whatever the rest of the cluster holds.
Where the folder is all of the cluster, --fail-on warning lets a mistyped name fail the build.`

export function program(): Command {
  const root = new Command('gatewright')
    .description('A working gateway from Kubernetes Gateway API manifests, and what it decides and why.')
    .version(version)
    .enablePositionalOptions()

  const run = root.command('run').argument('[path...]', 'folders, files, or - for standard input')
  run.description('serve the manifests here, and serve what they become when they change')
  withOutput(withKindnesses(withSource(run)), 'json', 'yaml')
    .option('--address <ip>', 'listen on this address instead of loopback', '127.0.0.1')
    .option('--admin-port <port>', 'port of /metrics, /healthz, /readyz, /config on loopback (0: any)', '0')
    .addOption(
      new Option('--access-log <format>', 'one line for each request on standard error').choices(['off', 'text', 'json']).default('off'),
    )
    .option(
      '--debug-header',
      'tell clients that send Gatewright-Debug: 1 where their request went and why, in a header of the answer',
      false,
    )
    .addOption(new Option('--echo <when>', 'echo backends for Services without endpoints').choices(['auto', 'on', 'off']).default('auto'))
    .addOption(
      new Option('--development-certificates <when>', 'certificates from a local CA').choices(['auto', 'on', 'off']).default('auto'),
    )
    .addOption(repeatable('--trust <cidr>', 'believe X-Forwarded-* of these peers'))
    .option('--trusted-hops <number>', 'so many proxies stand before this one: of X-Forwarded-For what they added is believed', '0')
    .addOption(repeatable('--accept-proxy-protocol <cidr>', acceptProxyProtocol))
    .addOption(forwardedCertificates())
    .option('--zone <name>', 'the zone of this proxy: endpoints that EndpointSlices hint at for it are preferred')
    .addOption(repeatable('--bound <name=value>', 'change a bound of the wire, see docs/wire.md'))
    .option('--workers <number>', 'so many processes carry the traffic, for as many cores', '1')
    .option('--poll', 'look at the files once a second instead of waiting for notifications', false)
    .action(async (paths: string[], _options, command: Command) => {
      keepYoungGenerationSmall()
      const { run: execute } = await import('./run.ts')
      process.exitCode = await execute(paths, command.optsWithGlobals())
    })

  const check = root.command('check').argument('[path...]', 'folders, files, or - for standard input')
  check.description('say everything that is wrong or doubtful in the manifests')
  withOutput(withCluster(withSource(check)), 'json', 'yaml', 'sarif')
    .addOption(new Option('--fail-on <severity>', 'exit with 1 from this severity on').choices(['error', 'warning']).default('error'))
    .addHelpText('after', checkHelp)
    .action(async (paths: string[], _options, command: Command) => {
      const { check: execute } = await import('./check.ts')
      process.exitCode = await execute(paths, command.optsWithGlobals())
    })

  const translate = root.command('translate').argument('[path...]', 'folders, files, or - for standard input')
  translate.description('print the statuses, the configuration and the infrastructure a cluster would get')
  withOutput(withCluster(withSource(translate)), 'json', 'yaml').action(async (paths: string[], _options, command: Command) => {
    const { translate: execute } = await import('./translate.ts')
    process.exitCode = await execute(paths, command.optsWithGlobals())
  })

  const explain = root.command('explain').argument('[path...]', 'folders, files, or - for standard input')
  explain.description('say where a request would go, and why every other candidate lost')
  withOutput(withCluster(withKindnesses(withSource(explain))), 'json', 'yaml')
    .requiredOption(
      '--request <METHOD URL>',
      "e.g. 'GET https://myapp.example.com/cart?x=1'; or 'TLS db.example.com:443', 'TCP :5432', 'UDP :53'",
    )
    .addOption(repeatable('-H, --header <name: value>', 'a header of the request'))
    .option('--trusted', 'the client is one that `run --trust` names: what it says in X-Forwarded-* and the like is kept', false)
    .option('--gateway <namespace/name>', 'ask this Gateway only')
    .option('--admin <url>', 'explain what a running gateway serves instead of PATH')
    .action(async (paths: string[], _options, command: Command) => {
      const { explain: execute } = await import('./explain.ts')
      process.exitCode = await execute(paths, command.optsWithGlobals())
    })

  const status = root.command('status')
  status.description('show what .status says: classes, Gateways, listeners, routes and backends as a tree')
  withOutput(withCluster(status), 'json', 'yaml')
    .option('-n, --namespace <name>', "what lies in this namespace (default: the context's)")
    .option('-A, --all-namespaces', 'what lies in any', false)
    .option('--admin <url>', 'of a running `gatewright run` instead of a cluster')
    .action(async (_options, command: Command) => {
      const { status: execute } = await import('./status.ts')
      process.exitCode = await execute(command.optsWithGlobals())
    })

  const controller = root.command('controller')
  controller
    .description('follow a cluster, keep the proxies of its Gateways, and write what came of it')
    .option('--kubeconfig <file>', 'how to reach the cluster (in a pod: its own account)')
    .option('--context <name>', 'of the kubeconfig')
    .option('--controller-name <name>', 'of the GatewayClasses that are ours (default: gatewright.dev/gateway-controller)')
    .requiredOption('--proxy-image <image>', 'image of the proxies')
    .option('--namespace <name>', 'where the controllers run', process.env['POD_NAMESPACE'] ?? 'gatewright-system')
    .option('--pod <name>', 'the name of this pod', process.env['POD_NAME'] ?? 'controller')
    .addOption(new Option('--pod-ip <ip>', 'the address of this pod').env('POD_IP'))
    .option('--service <name>', 'the Service by which proxies reach the controllers', 'gatewright')
    .option('--stream-port <port>', 'port of the configuration stream', '15010')
    .option('--stream-address <host:port>', 'where proxies reach the controllers (default: the cluster IP of the Service)')
    .option('--address <ip>', 'listen on this address', '::')
    .option('--admin-port <port>', 'port of /metrics, /healthz, /readyz (0: any)', '15000')
    .addOption(new Option('--log-level <level>', 'the least that is logged').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .addOption(new Option('--log-format <format>', 'of the log').choices(['text', 'json']).default('json'))
    .action(async (_options, command: Command) => {
      const { controller: execute } = await import('./controller.ts')
      process.exitCode = await execute(command.optsWithGlobals())
    })

  const proxy = root.command('proxy')
  proxy
    .description('the data plane of one Gateway in a cluster; the controller makes the pods that run it')
    .requiredOption('--gateway <namespace/name>', 'the Gateway to serve')
    .requiredOption('--controller <host:port>', 'where a controller answers')
    .requiredOption('--credentials <folder>', 'tls.crt, tls.key and ca.crt for the connection to the controllers')
    .option('--pod <name>', 'the name of this pod, for the log of the controllers', process.env['POD_NAME'] ?? 'proxy')
    .option('--state <folder>', 'where what was served last is kept for the next start (on a memory-backed volume: it holds keys)')
    .option('--address <ip>', 'listen on this address', '::')
    .option('--admin-address <ip>', 'address of /metrics, /healthz, /readyz, and for loopback /config, /pools', '::')
    .option('--admin-port <port>', 'port of /metrics, /healthz, /readyz, /config (0: any)', '15000')
    .option('--drain-delay <milliseconds>', 'unready for so long before connections are asked to end', '5000')
    .addOption(new Option('--access-log <format>', 'one line for each request').choices(['off', 'text', 'json']).default('json'))
    .addOption(new Option('--log-level <level>', 'the least that is logged').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .addOption(new Option('--log-format <format>', 'of the log').choices(['text', 'json']).default('json'))
    .addOption(repeatable('--trust <cidr>', 'believe X-Forwarded-* of these peers'))
    .option('--trusted-hops <number>', 'so many proxies stand before this one: of X-Forwarded-For what they added is believed', '0')
    .addOption(repeatable('--accept-proxy-protocol <cidr>', acceptProxyProtocol))
    .addOption(forwardedCertificates())
    .addOption(repeatable('--bound <name=value>', 'change a bound of the wire, see docs/wire.md'))
    .option('--zone <name>', 'the zone of this proxy: endpoints that EndpointSlices hint at for it are preferred')
    .option('--workers <number>', 'so many processes carry the traffic, for as many cores', '1')
    .action(async (_options, command: Command) => {
      keepYoungGenerationSmall()
      const { proxy: execute } = await import('./proxy.ts')
      process.exitCode = await execute(command.optsWithGlobals())
    })

  const init = root.command('init').argument('<folder>', 'a new or empty folder')
  init.description('write a small commented canary to start from')
  withOutput(init, 'json', 'yaml').action(async (folder: string, _options, command: Command) => {
    const { init: execute } = await import('./init.ts')
    process.exitCode = await execute(folder, command.optsWithGlobals())
  })

  for (const command of [root, ...root.commands]) command.option('--debug', 'show stack traces', false).exitOverride()
  return root
}

/** The exit status for what went wrong, after saying it in one line. */
function report(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (debug) process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  else process.stderr.write(`gatewright: ${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof UserError ? error.exitCode : 1
}

// The reader of a pipe may leave early (`gatewright check | head`): that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await program().parseAsync(process.argv)
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--debug'))
}
