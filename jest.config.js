/** Native ESM; TypeScript is stripped by swc. See test/README.md. */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: '<rootDir>/test/support/native-addon-environment.js',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  // Generous: a busy machine is no failure, and nothing here is timed.
  testTimeout: 300_000,
};
