/** A call that waits until there was none for a while; the last reason counts. */
export interface Debounced {
  call(reason: string): void;
  dispose(): void;
}

export function debounced(milliseconds: number, action: (reason: string) => void): Debounced {
  let timer: NodeJS.Timeout | undefined;
  return {
    call(reason) {
      clearTimeout(timer);
      timer = setTimeout(action, milliseconds, reason);
    },
    dispose() {
      clearTimeout(timer);
    },
  };
}
