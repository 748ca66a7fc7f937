/** What a person must do or know, in one line: printed without a stack. */
export class ClusterError extends Error {}

/** No cluster can be had on this machine as it is: what needs one is left out, not failed. */
export class UnavailableError extends ClusterError {}

/** The exit status that says so. */
export const unavailableStatus = 3
