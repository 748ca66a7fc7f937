/** Milliseconds, 24.8 days: with more than 31 bits a timer fires at once. */
export const longestTimer = 2 ** 31 - 1
