import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Each folder and what it may import besides itself; the direction of docs/decisions/0001-layers.md. */
const LAYERS = {
  platform: [],
  models: ['platform'],
  store: ['platform'],
  indexer: ['platform', 'models', 'store'],
  api: ['platform', 'models', 'store', 'indexer'],
  bin: ['platform', 'models', 'store', 'indexer', 'api'],
  web: [],
};

const layerRules = Object.entries(LAYERS).map(([folder, allowed]) => ({
  files: [`${folder}/**/*.ts`, `${folder}/**/*.tsx`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: Object.keys(LAYERS)
              .filter((other) => other !== folder && !allowed.includes(other))
              .concat('test')
              .map((other) => `**/../${other}/**`),
            message: `${folder}/ may import only: ${['itself', ...allowed].join(', ')}.`,
          },
        ],
      },
    ],
  },
}));

/** Only a process's entry point reads the environment; everything below receives values. */
const noEnvironment = {
  files: Object.keys(LAYERS).map((folder) => `${folder}/**/*.ts`),
  ignores: ['**/main.ts', 'bin/sharelock.ts'],
  rules: {
    'no-restricted-properties': [
      'error',
      { object: 'process', property: 'env', message: 'Only main.ts reads the environment.' },
    ],
  },
};

export default tseslint.config(
  {
    ignores: [
      '**/node_modules',
      'coverage',
      'dist',
      'web/dist',
      'data',
      'models/bundles',
      '**/generated',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        WebAssembly: 'readonly',
      },
    },
  },
  ...layerRules,
  noEnvironment,
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
);
