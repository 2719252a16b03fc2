/**
 * Texts that say nothing of what a photo shows. The plain mean of their embeddings is the background: an image that is near to it is near
 * to every text, and its scores are worth less (calibration.ts).
 */
export const NULL_PROMPTS: readonly string[] = [
  ...['a photo', 'a picture', 'an image', 'a photograph', 'a snapshot', 'a photo of something'],
  ...['a picture of a thing', 'an image of a scene', 'this is a photo', 'there is something here'],
  ...[
    'a view',
    'a photo of things',
    'a close-up',
    'a photo that somebody took',
    'it looks like this',
  ],
  'a photo of an object',
];
