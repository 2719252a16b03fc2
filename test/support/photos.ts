import { plain, RED } from './images.ts';

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/** An XMP packet with these keywords. */
export function xmpPacket(
  subject: readonly string[],
  hierarchical: readonly string[] = [],
): string {
  const bag = (items: readonly string[]): string =>
    `<rdf:Bag>${items.map((item) => `<rdf:li>${escape(item)}</rdf:li>`).join('')}</rdf:Bag>`;
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}">
 <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">
  <dc:subject>${bag(subject)}</dc:subject>
  <lr:hierarchicalSubject>${bag(hierarchical)}</lr:hierarchicalSubject>
 </rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A JPEG with a packet in it. */
export function jpegWithXmp(packet: string): Promise<Buffer> {
  return plain(RED).jpeg().withXmp(packet).toBuffer();
}

export interface IptcOptions {
  readonly keywords: readonly Buffer[];
  readonly isUtf8: boolean;
}

/** A JPEG with IPTC keywords, as Photoshop writes them. */
export async function jpegWithIptc(options: IptcOptions): Promise<Buffer> {
  const jpeg = await plain(RED).jpeg().toBuffer();
  const segment = Buffer.concat([Buffer.from('Photoshop 3.0\0'), resource(iptcBlock(options))]);
  const head = Buffer.from([0xff, 0xed, 0, 0]);
  head.writeUInt16BE(segment.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, segment, jpeg.subarray(2)]);
}

function resource(data: Buffer): Buffer {
  const head = Buffer.from('8BIM\x04\x04\0\0\0\0\0\0', 'latin1');
  head.writeUInt32BE(data.length, 8);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

export function iptcBlock({ keywords, isUtf8 }: IptcOptions): Buffer {
  const sets = keywords.map((keyword) => dataSet(2, 25, keyword));
  return Buffer.concat([...(isUtf8 ? [dataSet(1, 90, Buffer.from('\x1b%G'))] : []), ...sets]);
}

function dataSet(record: number, number: number, data: Buffer): Buffer {
  const head = Buffer.from([0x1c, record, number, 0, 0]);
  head.writeUInt16BE(data.length, 3);
  return Buffer.concat([head, data]);
}
