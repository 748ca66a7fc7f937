/** What a worker process of `proxy --workers` and `run --workers` runs; it is no command. */
import { serveAsWorker } from '../workers/serve-as-worker.ts'
import { keepYoungGenerationSmall } from './memory.ts'
import { version } from './version.ts'

keepYoungGenerationSmall()
serveAsWorker(version)
