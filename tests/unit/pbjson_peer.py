#!/usr/bin/python3
"""Protobuf's JSON by two hands: pbjson_peer.py PROGRAM DESCRIPTOR_SET...

PROGRAM (pbjson_peer.c) has the project's reader and writer; the judge is google.protobuf's own
json_format. Random messages go through both, in both directions and crosswise, and so do texts with
mistakes in them. The seed is printed, and can be given as ISOBAR_SEED.
"""

import json
import math
import os
import pathlib
import random
import struct
import subprocess
import sys

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
    from google.protobuf.descriptor import FieldDescriptor as F
except ImportError as e:
    print('skipped: no protobuf module for', sys.executable, '-', e)
    sys.exit(77)

TYPES = ['isobar.v1.VmSpec', 'isobar.v1.Vm', 'isobar.v1.Result', 'isobar.v1.Manifest',
         'isobar.v1.Operation', 'isobar.v1.Cloud', 'isobar.v1.CreateVmRequest',
         'isobar.v1.ListVmsResponse', 'isobar.test.All']
ROUNDS = 60
DEFAULTS = 2
PRETTY = 1

INTEGERS = {
    F.CPPTYPE_INT32: (-2**31, 2**31 - 1), F.CPPTYPE_UINT32: (0, 2**32 - 1),
    F.CPPTYPE_INT64: (-2**63, 2**63 - 1), F.CPPTYPE_UINT64: (0, 2**64 - 1),
}
TEXTS = ['', 'web', 'm1.small', 'grüß dich', '日本語', '\U0001F600', '"quoted"', 'back\\slash', 'a/b',
         'line\nbreak\ttab', '\x01\x1f\x7f', '\u2028', 'null', '1', 'x' * 300]


class Peer:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, verb, name, data, flags=0):
        self.process.stdin.write(b'%s %s %d %d\n' % (verb, name.encode(), flags, len(data)) + data)
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        assert len(words) == 2, 'the program has died on %s %s %r' % (verb, name, data)
        return words[0] == b'ok', self.process.stdout.read(int(words[1]))

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0, 'the program ended with %d' % self.process.returncode


def random_scalar(r, field):
    t = field.cpp_type
    if t in INTEGERS:
        low, high = INTEGERS[t]
        return r.choice([low, high, 0, 1, r.randint(low, high), r.randint(0, 1000)])
    if t == F.CPPTYPE_ENUM:
        return r.choice([v.number for v in field.enum_type.values] + [99])
    if t == F.CPPTYPE_BOOL:
        return r.random() < 0.5
    if t == F.CPPTYPE_DOUBLE:
        return r.choice([0.0, 1.5, -2.25, 1e300, 5e-324, 0.1, 1 / 3, r.random(), float('inf'),
                         -float('inf'), float('nan'), 1e15, 123456789012345678.0])
    if t == F.CPPTYPE_FLOAT:
        bits = struct.unpack('f', struct.pack('I', r.getrandbits(32)))[0]
        # Not the very greatest: the judge refuses what it has itself written for it. NaN has but one
        # form in JSON, so only that one.
        bits = bits if bits == bits else float('nan')
        return r.choice([0.0, 0.5, 16777216.0, 1e-45, 3.4028233e38, bits, float('inf')])
    if field.type == F.TYPE_BYTES:
        return bytes(r.randrange(256) for _ in range(r.randrange(12)))
    return r.choice(TEXTS)


def fill(r, message, depth):
    """Set some of the fields at random."""
    if message.DESCRIPTOR.full_name == 'google.protobuf.Timestamp':
        message.seconds = r.choice([-62135596800, 253402300799, 0, -1, r.randint(0, 2**32)])
        message.nanos = r.choice([0, 5000000, 5000, 5, 999999999])
        return
    for field in message.DESCRIPTOR.fields:
        if r.random() < 0.5 or (field.message_type and depth == 0):
            continue
        many = range(r.randrange(4))
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            key, entry = field.message_type.fields
            for _ in many:
                k = random_scalar(r, key)
                if entry.message_type:
                    fill(r, value[k], depth - 1)
                else:
                    value[k] = random_scalar(r, entry)
        elif field.label == F.LABEL_REPEATED:
            for _ in many:
                if field.message_type:
                    fill(r, value.add(), depth - 1)
                else:
                    value.append(random_scalar(r, field))
        elif field.message_type:
            value.SetInParent()
            fill(r, value, depth - 1)
        else:
            setattr(message, field.name, random_scalar(r, field))


def same(a, b):
    """Whether two JSON values are equal; NaN is, and so are numbers that a double cannot tell apart
    at the precision of a float."""
    if isinstance(a, float) or isinstance(b, float):
        return a == b or math.isclose(a, b, rel_tol=1e-15)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) == type(b) and a == b


def unique(pairs):
    keys = [k for k, _ in pairs]
    assert len(keys) == len(set(keys)), 'a key twice: %s' % keys
    return dict(pairs)


def check_message(r, peer, cls):
    name = cls.DESCRIPTOR.full_name
    message = cls()
    fill(r, message, 3)
    data = message.SerializeToString()
    for flags in (0, DEFAULTS, PRETTY):
        theirs = json_format.MessageToJson(message,
                                           including_default_value_fields=flags == DEFAULTS)
        good, ours = peer.ask(b'write', name, data, flags)
        assert good, 'not written: %s' % theirs
        parsed = json.loads(ours, object_pairs_hook=unique)
        assert same(parsed, json.loads(theirs)), 'ours %s\ntheirs %s' % (ours.decode(), theirs)
    # Each reads what the other wrote.
    again = json_format.Parse(ours, cls())
    assert again.SerializeToString(deterministic=True) == \
        message.SerializeToString(deterministic=True), ours.decode()
    for text in (theirs, ours.decode(),
                 json_format.MessageToJson(message, preserving_proto_field_name=True),
                 json_format.MessageToJson(message, use_integers_for_enums=True)):
        good, wire = peer.ask(b'read', name, text.encode())
        assert good, 'not read: %s: %s' % (wire.decode(), text)
        assert cls.FromString(wire).SerializeToString(deterministic=True) == \
            message.SerializeToString(deterministic=True), text


# A value for a field of All, and whether both must take it (True), refuse it (False), or only the
# judge takes it, being lax (None): we refuse.
VALUES = [
    ('anInt32', '5', True), ('anInt32', '"5"', True), ('anInt32', '-2147483648', True),
    ('anInt32', '2147483647', True), ('anInt32', '2147483648', False),
    ('anInt32', '-2147483649', False), ('anInt32', '1.5', False), ('anInt32', '1e3', True),
    ('anInt32', '1.0', True), ('anInt32', '"x"', False), ('anInt32', '""', False),
    ('anInt32', 'true', False), ('anInt32', 'null', True), ('anInt32', '[1]', False),
    ('anInt32', '{}', False), ('anInt32', '1e10', False), ('anInt32', '-0', True),
    ('an_int32', '5', True), ('aUint32', '4294967295', True), ('aUint32', '4294967296', False),
    ('aUint32', '-1', False), ('anInt64', '"-9223372036854775808"', True),
    ('anInt64', '9223372036854775807', True), ('anInt64', '9223372036854775808', False),
    ('aUint64', '"18446744073709551615"', True), ('aUint64', '18446744073709551615', True),
    ('aUint64', '"18446744073709551616"', False), ('aUint64', '"-1"', False),
    ('aSint32', '-1', True), ('aSfixed64', '"-1"', True), ('aFixed32', '"1"', True),
    ('aFloat', '1.5', True), ('aFloat', '"1.5"', True), ('aFloat', '"NaN"', True),
    ('aFloat', '"-Infinity"', True), ('aFloat', '3.5e38', False), ('aFloat', '"x"', False),
    ('aFloat', 'true', None), ('aDouble', '1e400', False), ('aDouble', '1e-400', True),
    ('aDouble', '1e308', True), ('aDouble', '"nan"', False), ('aDouble', 'null', True),
    ('aBool', 'true', True), ('aBool', 'false', True), ('aBool', '1', False),
    ('aBool', '"true"', False), ('aString', '"x"', True), ('aString', '5', False),
    ('aString', 'true', False), ('aString', '"\\ud83d"', False), ('aString', '[]', False),
    ('someBytes', '"AQI="', True), ('someBytes', '"AQI"', True), ('someBytes', '"-_-_"', True),
    ('someBytes', '"A"', False), ('someBytes', '5', False), ('someBytes', '"A Q I ="', None),
    ('colour', '"COLOUR_RED"', True), ('colour', '7', True), ('colour', '99', True),
    ('colour', '-5', True), ('colour', '"COLOUR_GREEN"', False), ('colour', 'true', None),
    ('colour', '2147483648', False), ('colour', '[]', False),
    ('aTime', '"2026-11-22T20:01:02.003Z"', True), ('aTime', '"2026-11-23T05:01:02+09:00"', True),
    ('aTime', '"yesterday"', False), ('aTime', '5', False), ('aTime', '{}', False),
    ('aTime', 'null', True), ('all', '{"anInt32": 5}', True), ('all', '5', False),
    ('all', '[]', None), ('all', 'null', True), ('int32s', '[1, "2", 3e0]', True),
    ('int32s', 'null', True), ('int32s', '[null]', False), ('int32s', '5', False),
    ('int32s', '{}', False), ('int32s', '[[1]]', False), ('alls', '[{}, {"alls": [{}]}]', True),
    ('alls', '[null]', False), ('times', '["1970-01-01T00:00:00Z"]', True),
    ('byInt32', '{"-5": "x"}', True), ('byInt32', '{"x": "x"}', False),
    ('byInt32', '{"1": 2}', False), ('byInt32', '{"1": null}', False), ('byInt32', '[]', False),
    ('byInt32', '{"99999999999": ""}', False), ('byBool', '{"true": "AQ==", "false": ""}', True),
    ('byBool', '{"yes": ""}', False), ('byUint64', '{"18446744073709551615": "-1"}', True),
    ('byString', '{"": {}, "a": {"byString": {"b": {}}}}', True), ('byString', 'null', True),
    ('byString', '{"a": 5}', False), ('colourByName', '{"a": "COLOUR_BLUE", "b": 1}', True),
    ('timeByNumber', '{"1": "1970-01-01T00:00:00Z"}', True),
    ('choiceNumber', '"5"', True), ('choiceText', '""', True), ('choiceAll', '{}', True),
    ('choiceText', 'null', True), ('choiceBool', 'false', True),
    ('aDoubleUnderscore', '1', True), ('digit1And2b', '1', True), ('UpperCase', '1', True),
    ('Leading', '1', True), ('trailing', '1', True), ('pair', '[{"key": "a"}]', True),
    ('pair', '{"a": "b"}', False), ('unknown', '5', False), ('anint32', '5', False),
]
TEXTS_OF_ALL = [
    ('', False), ('[]', None), ('null', False), ('5', False), ('"x"', False), ('{', False),
    ('{}', True), ('{} {}', False), ('{"anInt32": 1, "anInt32": 2}', False),
    ('{"byString": {"a": {}, "a": {}}}', False),
    ('{"choiceNumber": "1", "choiceText": "x"}', False),
    ('{"choiceNumber": null, "choiceText": "x"}', True),
]


def check_text(peer, cls, text, verdict):
    name = cls.DESCRIPTOR.full_name
    try:
        theirs = json_format.Parse(text, cls())
    except (json_format.ParseError, TypeError):
        theirs = None
    assert (theirs is not None) == (verdict is not False), 'the judge on %s' % text
    good, answer = peer.ask(b'read', name, text.encode())
    assert good == bool(verdict), '%s: %s' % (text, answer)
    if good:
        ours = cls.FromString(answer)
        assert ours.SerializeToString(deterministic=True) == \
            theirs.SerializeToString(deterministic=True), text


def nested(depth):
    return '{"all": ' * depth + '{}' + '}' * depth


def main():
    pool = descriptor_pool.DescriptorPool()
    seen = set()
    for path in sys.argv[2:]:
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(path).read_bytes())
        for file in descriptors.file:
            if file.name not in seen:
                pool.Add(file)
            seen.add(file.name)
    factory = message_factory.MessageFactory(pool)
    seed = int(os.environ.get('ISOBAR_SEED', random.randrange(2**32)))
    print('seed', seed, flush=True)
    r = random.Random(seed)
    peer = Peer(sys.argv[1])
    for name in TYPES:
        cls = factory.GetPrototype(pool.FindMessageTypeByName(name))
        for _ in range(ROUNDS):
            check_message(r, peer, cls)
    cls = factory.GetPrototype(pool.FindMessageTypeByName('isobar.test.All'))
    for key, value, verdict in VALUES:
        check_text(peer, cls, '{"%s": %s}' % (key, value), verdict)
    for text, verdict in TEXTS_OF_ALL:
        check_text(peer, cls, text, verdict)
    for depth, verdict in [(63, True), (64, False), (100000, False)]:
        good, answer = peer.ask(b'read', cls.DESCRIPTOR.full_name, nested(depth).encode())
        assert good == verdict, (depth, answer)
    peer.end()
    print(len(TYPES) * ROUNDS, 'messages,', len(VALUES) + len(TEXTS_OF_ALL), 'texts')


main()
