/** What a call throws; null when it goes through. */
export function refusal(act: () => unknown): unknown {
  try {
    act();
    return null;
  } catch (error) {
    return error;
  }
}
