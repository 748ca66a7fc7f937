/** Answers of the gateway's own, as HTTP/2 and gRPC say them. */
import type { OutgoingHttpHeaders } from 'node:http2'
import type { Answer } from '../http/answers.ts'
import { grpcStatusOf } from './grpc.ts'

export function answerHeaders(answer: Answer, requestId: string, text: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ':status': answer.status, 'x-request-id': requestId }
  if (answer.location !== '') headers['location'] = answer.location
  if (answer.status === 405) headers['allow'] = ''
  addFields(headers, answer)
  if (text !== '') {
    headers['content-type'] ??= 'text/plain; charset=utf-8'
    headers['content-length'] = text.length
  }
  return headers
}

/** Trailers-only: head and status in one (gRPC over HTTP/2, Responses). */
export function grpcAnswerHeaders(answer: Answer, requestId: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    ':status': 200,
    'grpc-status': grpcStatusOf(answer),
    'grpc-message': answer.flag,
    'x-request-id': requestId,
  }
  addFields(headers, answer)
  headers['content-type'] = 'application/grpc'
  return headers
}

function addFields(headers: OutgoingHttpHeaders, answer: Answer): void {
  for (const { lower, value } of answer.fields ?? []) {
    const before = headers[lower]
    headers[lower] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value]
  }
}
