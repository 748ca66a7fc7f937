/** One tab of the browser. */
import type { DevTools } from './dev-tools.ts'

interface Evaluated {
  readonly result: { readonly value?: unknown }
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } }
}

export class Page {
  readonly #tools: DevTools
  readonly #session: string

  private constructor(tools: DevTools, session: string) {
    this.#tools = tools
    this.#session = session
  }

  static async open(tools: DevTools): Promise<Page> {
    const { targetId } = await tools.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await tools.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page(tools, sessionId)
    await page.#send('Page.enable')
    return page
  }

  /** Resolves when the page has loaded with all its parts; with the reason when it has not. */
  async go(url: string): Promise<string | undefined> {
    const loaded = this.#event('Page.loadEventFired')
    const { errorText } = await this.#send<{ errorText?: string }>('Page.navigate', { url })
    await loaded
    return errorText
  }

  /** What one of the page's own tasks (page/main.js) resolves to. */
  async task<T>(name: string, ...args: readonly unknown[]): Promise<T> {
    const { result, exceptionDetails } = await this.#send<Evaluated>('Runtime.evaluate', {
      expression: `tasks.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined)
      throw new Error(`the page's ${name} failed: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    return result.value as T
  }

  #send<T>(method: string, params?: object): Promise<T> {
    return this.#tools.send<T>(method, params, this.#session)
  }

  #event(method: string): Promise<void> {
    return new Promise((resolve) => {
      const ignore = this.#tools.listen((event) => {
        if (event.method !== method || event.sessionId !== this.#session) return
        ignore()
        resolve()
      })
    })
  }
}
