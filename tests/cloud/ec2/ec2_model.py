"""The service models of botocore, made into functions: a reader of parameters and a writer of XML for
each shape that is used. What does not fit the model is refused when read, and cannot be written.
"""

import base64
import binascii
import re
import time

import botocore.loaders

# What EC2 has learned since Debian's botocore: shape -> {member: its row}.
LATER = {'DescribeImagesRequest': {'MaxResults': {'shape': 'Integer'},
                                   'NextToken': {'shape': 'String'}},
         'DescribeImagesResult': {'NextToken': {'shape': 'String', 'locationName': 'nextToken'}}}
# The model's list is older than what there is: an action says which it knows.
OPEN_ENUMS = {'InstanceType'}
NUMBERS = {'integer': int, 'long': int, 'float': float, 'double': float}
NUMBER = re.compile(r'[+-]?\d+(\.\d+)?$')
STAMP = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')


class Refused(Exception):
    """An error of the cloud's. `breach`: what was asked is nothing that the model has."""

    def __init__(self, code, message, status=400, breach=False):
        super().__init__(code, message)
        self.code, self.message, self.status, self.breach = code, message, status, breach


class ModelError(Exception):
    """An answer that the model does not have: a fault of this emulator."""


class Unchecked(str):
    """A word that may be none of an enum's."""


def breach(code, message, *args):
    return Refused(code, message % args, breach=True)


def stamp(t):
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(t)) + '.%03dZ' % (t % 1 * 1000)


def escape(text):
    if '&' in text or '<' in text or '>' in text or '\r' in text:
        return text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;') \
            .replace('\r', '&#xD;')
    return text


def tree_of(fields):
    """Dotted names as nested dicts."""
    tree = {}
    for name, value in fields:
        *path, last = name.split('.')
        place = tree
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise breach('InvalidParameterValue', 'The parameter %s is a value and a list', name)
        if last in place:
            raise breach('InvalidParameterValue', 'The parameter %s appears twice', name)
        place[last] = value
    return tree


class Operation:
    def __init__(self, name, read, write, result):
        self.name, self.read, self.write, self.result = name, read, write, result


class Model:
    """One service. `member_lists`: lists have a step `member` (STS), else none (EC2)."""

    def __init__(self, service):
        data = botocore.loaders.Loader().load_service_model(service, 'service-2')
        self.shapes, self.rows = data['shapes'], data['operations']
        self.version = data['metadata']['apiVersion']
        self.namespace = data['metadata']['xmlNamespace'] + ('/' if service == 'ec2' else '')
        self.member_lists = data['metadata']['protocol'] == 'query'
        if service == 'ec2':
            for shape, members in LATER.items():
                for member, row in members.items():
                    self.shapes[shape]['members'].setdefault(member, row)
        self.operations, self.readers, self.writers = {}, {}, {}

    def operation(self, name):
        """Refused where there is none."""
        if name not in self.operations:
            row = self.rows.get(name)
            if row is None:
                raise breach('InvalidAction', 'The action %s is not valid for this web service.',
                             name)
            self.operations[name] = Operation(
                name, self.reader(row['input']['shape']) if 'input' in row
                else self.read_struct('', {'members': {}}),
                self.writer(row['output']['shape']) if 'output' in row else None,
                row.get('output', {}).get('resultWrapper'))
        return self.operations[name]

    # ---- In ----

    def reader(self, name):
        """A function of (tree, name of the parameter) that gives the value."""
        if name not in self.readers:
            # A shape may be part of itself.
            self.readers[name] = lambda tree, at: self.readers[name](tree, at)
            shape = self.shapes[name]
            make = {'structure': self.read_struct, 'list': self.read_list,
                    'blob': self.read_blob}.get(shape['type'], self.read_scalar)
            self.readers[name] = make(name, shape)
        return self.readers[name]

    def parameter_name(self, member, row):
        if self.member_lists:
            return row.get('locationName', member)
        if 'queryName' in row:
            return row['queryName']
        name = row.get('locationName', member)
        return name[0].upper() + name[1:]

    def read_struct(self, name, shape):
        members = {self.parameter_name(member, row): (member, self.reader(row['shape']))
                   for member, row in shape['members'].items()}
        names = {member: parameter for parameter, (member, _) in members.items()}
        required = shape.get('required', ())

        def read(tree, at):
            if not isinstance(tree, dict):
                raise breach('InvalidParameterValue', 'The parameter %s is a structure', at[:-1])
            values = {}
            for key, sub in tree.items():
                if key not in members:
                    raise breach('UnknownParameter', 'The parameter %s%s is not recognized', at, key)
                member, read_it = members[key]
                values[member] = read_it(sub, at + key + '.')
            for each in required:
                if each not in values:
                    raise breach('MissingParameter',
                                 'The request must contain the parameter %s%s', at, names[each])
            return values
        return read

    def read_list(self, name, shape):
        read_one = self.reader(shape['member']['shape'])
        most = shape.get('max')

        def read(tree, at):
            if self.member_lists and isinstance(tree, dict):
                if set(tree) != {'member'}:
                    raise breach('UnknownParameter', 'The list %s has something else', at[:-1])
                tree, at = tree['member'], at + 'member.'
            if not isinstance(tree, dict):
                raise breach('InvalidParameterValue', 'The parameter %s is a list', at[:-1])
            if any(str(n) not in tree for n in range(1, len(tree) + 1)):
                raise breach('InvalidParameterValue', 'The list %s is not numbered from 1 on',
                             at[:-1])
            if most and len(tree) > most:
                raise breach('InvalidParameterValue', 'The list %s has more than %d items',
                             at[:-1], most)
            return [read_one(tree[str(n)], '%s%d.' % (at, n)) for n in range(1, len(tree) + 1)]
        return read

    def read_blob(self, name, shape):
        def read(text, at):
            try:
                return base64.b64decode(text, validate=True)
            except (TypeError, binascii.Error):
                raise breach('InvalidParameterValue', 'The parameter %s is no base64',
                             at[:-1]) from None
        return read

    def read_scalar(self, name, shape):
        kind = shape['type']
        enum = set(shape.get('enum', ())) if name not in OPEN_ENUMS else ()
        low, high = shape.get('min'), shape.get('max')

        def read(text, at):
            if isinstance(text, dict):
                raise breach('UnknownParameter', 'The parameter %s%s is not recognized', at,
                             next(iter(text)))
            if enum and text not in enum:
                raise breach('InvalidParameterValue', "Invalid value '%s' for %s.", text, at[:-1])
            if kind == 'boolean' and text in ('true', 'false'):
                return text == 'true'
            if kind in NUMBERS and NUMBER.match(text) and (NUMBERS[kind] is float or '.' not in text):
                value = NUMBERS[kind](text)
                if (low is None or value >= low) and (high is None or value <= high):
                    return value
            if kind == 'string' or kind == 'timestamp' and STAMP.match(text):
                return text
            raise breach('InvalidParameterValue',
                         'Value ( %s ) for parameter %s is invalid. It is no %s that is allowed',
                         text, at[:-1], kind)
        return read

    # ---- Out ----

    def writer(self, name):
        """A function of (value, function that takes text)."""
        if name not in self.writers:
            self.writers[name] = lambda value, out: self.writers[name](value, out)
            shape = self.shapes[name]
            make = {'structure': self.write_struct, 'list': self.write_list}.get(
                shape['type'], self.write_scalar)
            self.writers[name] = make(name, shape)
        return self.writers[name]

    def write_struct(self, name, shape):
        members = {}
        for member, row in shape['members'].items():
            tag = row.get('locationName', member)
            members[member] = ('<%s>' % tag, '</%s>' % tag, self.writer(row['shape']))

        def write(value, out):
            for key, each in value.items():
                if each is None:
                    continue
                if key not in members:
                    raise ModelError('%s has no %s' % (name, key))
                begin, end, write_it = members[key]
                out(begin)
                write_it(each, out)
                out(end)
        return write

    def write_list(self, name, shape):
        tag = shape['member'].get('locationName', 'member' if self.member_lists else 'item')
        begin, end = '<%s>' % tag, '</%s>' % tag
        write_one = self.writer(shape['member']['shape'])

        def write(value, out):
            if not isinstance(value, (list, tuple)):
                raise ModelError('%s is a list, not %r' % (name, value))
            for each in value:
                out(begin)
                write_one(each, out)
                out(end)
        return write

    def write_scalar(self, name, shape):
        kind = shape['type']
        if kind == 'string':
            return self.write_string(name, set(shape.get('enum', ())))
        if kind == 'boolean':
            wanted, text = bool, {True: 'true', False: 'false'}.get
        elif kind == 'timestamp':
            wanted, text = float, stamp
        elif kind == 'blob':
            wanted, text = bytes, lambda value: base64.b64encode(value).decode()
        else:
            wanted, text = NUMBERS[kind], repr

        def write(value, out):
            if value.__class__ is not wanted:
                raise ModelError('%s is of %s, not %r' % (name, kind, value))
            out(text(value))
        return write

    @staticmethod
    def write_string(name, enum):
        def write(value, out):
            if not isinstance(value, str):
                raise ModelError('%s is a string, not %r' % (name, value))
            if enum and value not in enum and not isinstance(value, Unchecked):
                raise ModelError('%s has no value %s' % (name, value))
            out(escape(value))
        return write
