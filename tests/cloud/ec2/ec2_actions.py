"""What all actions share: their table, things by id, filters, pages, tags."""

import base64
import hashlib
import json
import re
import time

from ec2_model import Refused, stamp

ACTIONS = {}


def action(name):
    def enter(function):
        ACTIONS[name] = function
        return function
    return enter


def would(p):
    """The end of what can be refused: from here on it is done."""
    if p.get('DryRun'):
        raise Refused('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412)


# ---- Things ----

# kind: (form of an id, error for what has another form, error where there is none, its words)
NAMES = {
    'instance': ('i-', 'InvalidInstanceID.Malformed', 'InvalidInstanceID.NotFound',
                 "The instance ID '%s' does not exist"),
    'image': ('ami-', 'InvalidAMIID.Malformed', 'InvalidAMIID.NotFound',
              "The image id '[%s]' does not exist"),
    'subnet': ('subnet-', 'InvalidSubnetID.Malformed', 'InvalidSubnetID.NotFound',
               "The subnet ID '%s' does not exist"),
    'vpc': ('vpc-', 'InvalidVpcId.Malformed', 'InvalidVpcID.NotFound',
            "The vpc ID '%s' does not exist"),
    'group': ('sg-', 'InvalidGroupId.Malformed', 'InvalidGroup.NotFound',
              "The security group '%s' does not exist"),
    'interface': ('eni-', 'InvalidNetworkInterfaceId.Malformed',
                  'InvalidNetworkInterfaceID.NotFound',
                  "The networkInterface ID '%s' does not exist"),
    'address': ('eipalloc-', 'InvalidAllocationID.Malformed', 'InvalidAllocationID.NotFound',
                "The allocation ID '%s' does not exist"),
    'volume': ('vol-', 'InvalidVolumeID.Malformed', 'InvalidVolume.NotFound',
               "The volume '%s' does not exist."),
    'key': ('', '', 'InvalidKeyPair.NotFound', "The key pair '%s' does not exist"),
}
FORM = re.compile(r'[0-9a-f]{8}([0-9a-f]{9})?$')


def check_form(kind, id):
    prefix, malformed, _, _ = NAMES[kind]
    if prefix and not (id.startswith(prefix) and FORM.match(id[len(prefix):])):
        raise Refused(malformed, 'Invalid id: "%s"' % id)


def missing(kind, ids):
    _, _, code, words = NAMES[kind]
    words = words % ', '.join(ids)
    if len(ids) > 1:
        words = words.replace(' ID ', ' IDs ').replace('does not exist', 'do not exist')
    return Refused(code, words)


def need(lab, kind, id):
    """The thing; what has ended is none, but that machines are seen for a while."""
    check_form(kind, id)
    thing = lab.things[kind].get(id)
    if thing is None or not thing.visible(time.time()):
        raise missing(kind, [id])
    return thing


def need_all(lab, kind, ids):
    for id in ids:
        check_form(kind, id)
    now = time.time()
    found = [lab.things[kind].get(id) for id in ids]
    gone = [id for id, each in zip(ids, found) if each is None or not each.visible(now)]
    if gone:
        raise missing(kind, gone)
    return found


# ---- Tags ----

def tag_set(tags):
    return [{'Key': key, 'Value': value} for key, value in tags.items()]


def check_tags(tags, most=50):
    if len(tags) > most:
        raise Refused('TagLimitExceeded', 'More than %d tags specified' % most)
    for key, value in tags.items():
        if not key or len(key) > 127 or len(value) > 255:
            raise Refused('InvalidParameterValue', 'Tag keys have 1 to 127 characters, and values '
                          'no more than 255')
        if key.lower().startswith('aws:'):
            raise Refused('InvalidParameterValue', 'Tag keys starting with \'aws:\' are reserved '
                          'for internal use')
    return tags


def tags_of(p, *types):
    """What TagSpecifications say of the types of resources that this action makes: a dict each."""
    found = {each: {} for each in types}
    for each in p.get('TagSpecifications', ()):
        kind = each.get('ResourceType')
        if kind not in found:
            raise Refused('InvalidParameterValue', "'%s' is not a valid taggable resource type for "
                          'this operation.' % kind)
        tags = {}
        for tag in each.get('Tags', ()):
            if tag.get('Key') in tags:
                raise Refused('InvalidParameterValue', "Duplicate tag key '%s' specified."
                              % tag.get('Key'))
            tags[tag.get('Key', '')] = tag.get('Value', '')
        found[kind].update(check_tags(tags))
    return [found[each] for each in types]


# ---- Filters ----

def text(value):
    if value is True or value is False:
        return 'true' if value else 'false'
    return stamp(value) if isinstance(value, float) else str(value)


def dig(value, path):
    """All that is at this place, in lists too, as text."""
    found = [value]
    for name in path.split('.'):
        found = [each.get(name) for each in found]
        found = [item for each in found if each is not None
                 for item in (each if isinstance(each, list) else [each])]
    return [text(each) for each in found]


def pattern(value):
    """Whether a text is like this; * and ? stand for others, unless after a backslash."""
    if not re.search(r'[*?\\]', value):
        return value.__eq__
    parts = re.findall(r'\\.|.', value, re.DOTALL)
    return re.compile(''.join(
        '.*' if each == '*' else '.' if each == '?' else re.escape(each[-1])
        for each in parts) + r'\Z', re.DOTALL).match


def tag_values(shown, name):
    tags = shown.get('Tags') or shown.get('TagSet') or ()
    if name == 'tag-key':
        return [each['Key'] for each in tags]
    if name == 'tag-value':
        return [each['Value'] for each in tags]
    return [each['Value'] for each in tags if each['Key'] == name[4:]]


def filtered(p, items, known):
    """Those that fit; `known` has a path, or a function of a shown item, a filter."""
    for each in p.get('Filters', ()):
        name, wanted = each.get('Name', ''), [pattern(value) for value in each.get('Values', ())]
        if not wanted:
            raise Refused('InvalidParameterValue', 'The filter %s has no value' % name)
        if name.startswith('tag:') or name in ('tag-key', 'tag-value'):
            def values(shown, name=name):
                return tag_values(shown, name)
        elif name not in known:
            raise Refused('InvalidParameterValue', "The filter '%s' is invalid" % name)
        elif callable(known[name]):
            values = known[name]
        else:
            def values(shown, path=known[name]):
                return dig(shown, path)
        items = [shown for shown in items
                 if any(like(value) for value in values(shown) for like in wanted)]
    return items


# ---- Pages ----

def page(lab, p, items, key, low=5, high=1000, action=''):
    """(a page of them, what goes into the answer's NextToken). `key` gives an item's own name."""
    size = p.get('MaxResults')
    if size is not None and not low <= size <= high:
        raise Refused('InvalidParameterValue', 'Value ( %d ) for parameter maxResults is invalid. '
                      'Expecting a value from %d to %d.' % (size, low, high))
    asked = hashlib.sha256(json.dumps([action, p.get('Filters')]).encode()).hexdigest()[:16]
    if 'NextToken' in p:
        after = read_token(p['NextToken'], asked)
        names = [key(each) for each in items]
        items = items[names.index(after) + 1:] if after in names else [
            each for each, name in zip(items, names) if name > after]
    if lab.page_size:
        size = min(size or high, lab.page_size)
    if not size or len(items) <= size:
        return items, None
    items = items[:size]
    return items, base64.urlsafe_b64encode(json.dumps([asked, key(items[-1])]).encode()).decode()


def read_token(token, asked):
    try:
        was, after = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        was = None
    if was != asked:
        raise Refused('InvalidParameterValue', 'Value ( %s ) for parameter NextToken is invalid. The '
                      'token is invalid.' % token)
    return after


class Listing:
    """A Describe action of one kind of things: what is its parameter of ids and its result, how one
    is shown, and which filters there are."""

    def __init__(self, kind, ids, result, show, filters, both=None, **limits):
        self.kind, self.ids, self.result, self.show = kind, ids, result, show
        self.filters, self.both, self.limits = filters, both, limits

    def items(self, lab, p, things=None):
        """(shown things, token) of a page."""
        ids, now = p.get(self.ids), time.time()
        if ids and self.both and 'MaxResults' in p:
            raise Refused('InvalidParameterCombination', 'The parameter %s cannot be used with the '
                          'parameter maxResults' % self.both)
        if ids:
            ids = list(dict.fromkeys(ids))
            for id in ids:
                check_form(self.kind, id)
            things = [lab.things[self.kind].get(id) for id in ids]
            gone = [id for id, each in zip(ids, things)
                    if each is None or not each.visible(now) or each.found > now]
            if gone:
                raise missing(self.kind, gone)
            then = now
        else:
            then = lab.as_of(self.kind)
            things = [each for each in (lab.things[self.kind].values() if things is None else things)
                      if each.listed(then)]
        shown = [self.show(lab, each, each.at(then)) for each in things]
        shown = filtered(p, shown, self.filters)
        return page(lab, p, shown, self.key, action=self.kind, **self.limits)

    @property
    def key(self):
        name = NAME_OF[self.kind]
        return lambda shown: shown[name]

    def __call__(self, lab, p):
        shown, token = self.items(lab, p)
        return {self.result: shown, 'NextToken': token}


NAME_OF = {'instance': 'InstanceId', 'image': 'ImageId', 'subnet': 'SubnetId', 'vpc': 'VpcId',
           'group': 'GroupId', 'interface': 'NetworkInterfaceId', 'address': 'AllocationId',
           'volume': 'VolumeId', 'key': 'KeyName'}
