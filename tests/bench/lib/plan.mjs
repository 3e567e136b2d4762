export function plan() {}
