/** What a person must do or know, in one line: printed without a stack. */
export class ClusterError extends Error {}
