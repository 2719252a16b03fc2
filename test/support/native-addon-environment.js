import { TestEnvironment } from 'jest-environment-node';

/**
 * Jest runs tests in a realm of its own, whose typed arrays are not those that native addons check for
 * (`instanceof Float32Array` is false across realms). This environment lends the test the outer ones.
 */
const SHARED = [
  ArrayBuffer,
  SharedArrayBuffer,
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
];

export default class NativeAddonEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const constructor of SHARED) this.global[constructor.name] = constructor;
  }
}
