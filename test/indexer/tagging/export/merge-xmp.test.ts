import { describe, expect, test } from '@jest/globals';
import { readXmpKeywords } from '../../../../indexer/ingest/keywords/xmp.ts';
import { readXmpLists } from '../../../../indexer/ingest/keywords/xmp-lists.ts';
import {
  mergeXmp,
  newXmp,
  type KeywordChange,
} from '../../../../indexer/tagging/export/merge-xmp.ts';
import { Random } from '../../../../platform/random.ts';
import { xmpPacket } from '../../../support/photos.ts';

function changeWith(overrides: Partial<KeywordChange> = {}): KeywordChange {
  return { subject: [], hierarchicalSubject: [], without: new Set(), ...overrides };
}

function keywordsOf(xmp: string): readonly string[] {
  return [...readXmpKeywords(Buffer.from(xmp))].sort();
}

/** As Lightroom writes it: indented, with settings of its own. */
const LIGHTROOM = `\ufeff<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <r:Description r:about='' xmlns:d="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35">
   <!-- mine > yours -->
   <d:subject>
    <r:Bag>
     <r:li>beach</r:li>
     <r:li>dog</r:li>
    </r:Bag>
   </d:subject>
   <crs:Look><![CDATA[ <d:subject> ]]></crs:Look>
  </r:Description>
 </r:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;

describe('a merge', () => {
  test('changes the keywords and not a byte besides', () => {
    const change = changeWith({ subject: ['cat & "mouse"'], without: new Set(['dog']) });

    const merged = mergeXmp(LIGHTROOM, change);

    expect(merged).toBe(LIGHTROOM.replace('dog</r:li>', 'cat &amp; "mouse"</r:li>'));
  });

  test('is none where nothing is to be changed', () => {
    expect(mergeXmp(LIGHTROOM, changeWith({ subject: ['dog'] }))).toBeNull();
    expect(mergeXmp(LIGHTROOM, changeWith({ without: new Set(['horse']) }))).toBeNull();
  });

  test('adds a list that is missing, whatever the prefixes are', () => {
    const merged = mergeXmp(LIGHTROOM, changeWith({ hierarchicalSubject: ['animal|cat'] })) ?? '';

    expect(keywordsOf(merged)).toEqual(['animal', 'beach', 'cat', 'dog']);
    expect(merged.slice(0, LIGHTROOM.indexOf('</r:Description>') - 2)).toBe(
      LIGHTROOM.slice(0, LIGHTROOM.indexOf('</r:Description>') - 2),
    );
  });

  test('takes hierarchies along that a removed keyword stands in', () => {
    const before = xmpPacket(['dog', 'tree'], ['animal|dog', 'animal|dog|poodle', 'plant|tree']);

    const merged = mergeXmp(before, changeWith({ without: new Set(['dog']) })) ?? '';

    expect(keywordsOf(merged)).toEqual(['plant', 'tree']);
  });

  test('takes a bar within a plain keyword for a part of it', () => {
    const change = changeWith({ subject: ['a|b'], without: new Set(['a']) });

    const merged = mergeXmp(xmpPacket(['a|b', 'a']), change) ?? '';

    expect(keywordsOf(merged)).toEqual(['a|b']);
  });

  test("leaves the keywords of what the photo was made from alone, which aren't the photo's", () => {
    const [, start = '', list = '', end = ''] =
      /^([^]*)(<d:subject>[^]*<\/d:subject>)([^]*)$/.exec(LIGHTROOM) ?? [];
    const source = `<crs:Source><r:Description>${list}</r:Description></crs:Source>`;

    const merged =
      mergeXmp(start + source + end, changeWith({ subject: ['cat'], without: new Set(['dog']) })) ??
      '';

    expect(merged).toContain(source);
    expect(keywordsOf(merged)).toEqual(['cat']);
  });

  test.each([
    ['<a/>'],
    ['<x:xmpmeta xmlns:x="adobe:ns:meta/">'],
    [`<!DOCTYPE a>${xmpPacket([])}`],
    ['keywords: dog'],
  ])('leaves what is no sidecar alone (%#)', (xmp) => {
    const merging = (): unknown => mergeXmp(xmp, changeWith({ subject: ['a'] }));

    expect(merging).toThrow(/^The sidecar (?:is no XMP|has no rdf:Description)\.$/);
  });
});

test('a new sidecar has what it is for', () => {
  const xmp = newXmp(changeWith({ subject: ['犬', 'a < b'], hierarchicalSubject: ['動物|犬'] }));

  expect(keywordsOf(xmp)).toEqual(['a < b', '動物', '犬'].sort());
});

test('whatever was there and whatever is changed, the keywords are right and a second merge changes nothing', () => {
  const random = new Random('merge');
  const words = ['dog', 'cat', 'a&b', '<i>', '"q"', '東京', 'é', 'two words', '👩‍🚀', "it's", ']]>'];
  const some = (): string[] => words.filter(() => random.uniform() < 0.4);
  for (let i = 0; i < 100; i++) {
    const [before, subject] = [some(), some()];
    const without = new Set(some().filter((word) => !subject.includes(word)));
    const paths = subject.map((word) => `top|${word}`);
    const change = { subject, without, hierarchicalSubject: random.uniform() < 0.5 ? paths : [] };
    const start = random.uniform() < 0.3 ? newXmp(changeWith()) : xmpPacket(before, before);

    const merged = mergeXmp(start, change) ?? start;

    const kept = readXmpKeywords(Buffer.from(start)).filter((word) => !without.has(word));
    const ofPaths = change.hierarchicalSubject.length > 0 ? ['top'] : [];
    expect(keywordsOf(merged)).toEqual([...new Set([...kept, ...subject, ...ofPaths])].sort());
    expect(mergeXmp(merged, change)).toBeNull();
    expect(readXmpLists(merged).lists.length).toBeLessThanOrEqual(2);
  }
});
