/** Where video files lie that may be chosen from afar. Pure. */
export function mediaDirectory(stateDirectory: string): string {
  return `${stateDirectory}/media`;
}
