/** Answers of the gateway's own, as HTTP/2 and gRPC say them: fields, names and values by turns. */
import type { Answer } from '../http/answers.ts'
import { grpcStatusOf } from './grpc.ts'

export function answerFields(answer: Answer, requestId: string, text: string): string[] {
  const fields = [':status', String(answer.status), 'x-request-id', requestId]
  if (answer.location !== '') fields.push('location', answer.location)
  if (answer.status === 405) fields.push('allow', '')
  let hasType = false
  for (const { lower, value } of answer.fields ?? []) {
    if (lower === 'content-type') hasType = true
    fields.push(lower, value)
  }
  if (text === '') return fields
  if (!hasType) fields.push('content-type', 'text/plain; charset=utf-8')
  fields.push('content-length', String(text.length))
  return fields
}

/** Trailers-only: head and status in one (gRPC over HTTP/2, Responses). */
export function grpcAnswerFields(answer: Answer, requestId: string): string[] {
  const fields = [':status', '200', 'content-type', 'application/grpc', 'grpc-status', String(grpcStatusOf(answer))]
  fields.push('grpc-message', answer.flag, 'x-request-id', requestId)
  for (const { lower, value } of answer.fields ?? []) if (lower !== 'content-type') fields.push(lower, value)
  return fields
}
