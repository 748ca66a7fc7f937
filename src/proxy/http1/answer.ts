/** Answers of the gateway's own, as HTTP/1 says them. */
import { type Answer, answerBody } from '../http/answers.ts'
import { answerText } from './encode-head.ts'

/** The whole message. HEAD gets the same head without the body (RFC 9110, section 9.3.2). */
export function answerMessage(answer: Answer, requestId: string, isHead: boolean, keepAlive: boolean, http10: boolean): string {
  return answerText(answer.status, linesOf(answer, requestId), answerBody(answer, requestId), keepAlive, http10, !isHead)
}

function linesOf(answer: Answer, requestId: string): string {
  let id = `X-Request-Id: ${requestId}\r\n`
  for (const { name, value } of answer.fields ?? []) id += `${name}: ${value}\r\n`
  if (answer.location !== '') return `Location: ${answer.location}\r\n${id}`
  // RFC 9110 section 15.5.6 wants to know what is allowed. Nothing is for CONNECT, the only method that we refuse.
  return answer.status === 405 ? `Allow: \r\n${id}` : id
}
