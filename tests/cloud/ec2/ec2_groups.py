"""Security groups, and tags."""

import re
import time

from ec2_actions import (Listing, action, check_tags, filtered, missing, need, page, pattern, tag_set,
                         tags_of, would)
from ec2_model import Refused


def show_rule(lab, group, rule):
    shown = {'SecurityGroupRuleId': rule['id'], 'GroupId': group['id'], 'GroupOwnerId': lab.account,
             'IsEgress': rule['IsEgress'], 'IpProtocol': rule['IpProtocol'], 'Tags': [],
             'FromPort': rule['FromPort'], 'ToPort': rule['ToPort'],
             'CidrIpv4': rule.get('CidrIpv4'), 'Description': rule.get('Description')}
    if 'group' in rule:
        shown['ReferencedGroupInfo'] = {'GroupId': rule['group'], 'UserId': lab.account}
    return shown


def permission(lab, rule):
    shown = {'IpProtocol': rule['IpProtocol'], 'IpRanges': [], 'Ipv6Ranges': [], 'PrefixListIds': [],
             'UserIdGroupPairs': []}
    if rule['IpProtocol'] != '-1':
        shown.update(FromPort=rule['FromPort'], ToPort=rule['ToPort'])
    if 'group' in rule:
        shown['UserIdGroupPairs'] = [{'GroupId': rule['group'], 'UserId': lab.account}]
    else:
        shown['IpRanges'] = [{'CidrIp': rule['CidrIpv4'], 'Description': rule.get('Description')}]
    return shown


def show_group(lab, thing, fields):
    ways = {way: [permission(lab, each) for each in fields['rules'] if each['IsEgress'] is way]
            for way in (False, True)}
    return {'GroupId': fields['id'], 'GroupName': fields['GroupName'], 'OwnerId': lab.account,
            'Description': fields['Description'], 'VpcId': fields['VpcId'],
            'IpPermissions': ways[False], 'IpPermissionsEgress': ways[True],
            'Tags': tag_set(fields['tags'])}


GROUPS = Listing('group', 'GroupIds', 'SecurityGroups', show_group, {
    'group-id': 'GroupId', 'group-name': 'GroupName', 'vpc-id': 'VpcId', 'owner-id': 'OwnerId',
    'description': 'Description', 'ip-permission.cidr': 'IpPermissions.IpRanges.CidrIp',
    'ip-permission.from-port': 'IpPermissions.FromPort', 'ip-permission.to-port':
    'IpPermissions.ToPort', 'ip-permission.protocol': 'IpPermissions.IpProtocol',
    'ip-permission.group-id': 'IpPermissions.UserIdGroupPairs.GroupId',
    'egress.ip-permission.cidr': 'IpPermissionsEgress.IpRanges.CidrIp'}, both='securityGroupIds')


@action('DescribeSecurityGroups')
def describe_groups(lab, p):
    """Names are those of the default VPC."""
    if 'GroupNames' not in p:
        return GROUPS(lab, p)
    vpc = lab.default_vpc()
    known = {each.base['GroupName']: each.base['id'] for each in lab.alive('group')
             if vpc and each.base['VpcId'] == vpc.base['id']}
    gone = [each for each in p['GroupNames'] if each not in known]
    if gone:
        raise missing('group', gone)
    return GROUPS(lab, dict(p, GroupIds=p.get('GroupIds', []) + [known[name]
                                                                for name in p['GroupNames']]))


@action('DescribeSecurityGroupRules')
def describe_rules(lab, p):
    shown = [show_rule(lab, each, rule) for each in lab.list('group') for rule in each['rules']]
    wanted = p.get('SecurityGroupRuleIds')
    if wanted:
        gone = set(wanted) - {each['SecurityGroupRuleId'] for each in shown}
        if gone:
            raise Refused('InvalidSecurityGroupRuleId.NotFound', "The security group rule ID '%s' does "
                          'not exist' % ', '.join(sorted(gone)))
        shown = [each for each in shown if each['SecurityGroupRuleId'] in wanted]
    shown = filtered(p, shown, {'group-id': 'GroupId', 'security-group-rule-id':
                                'SecurityGroupRuleId'})
    shown, token = page(lab, p, shown, lambda each: each['SecurityGroupRuleId'], action='rules')
    return {'SecurityGroupRules': shown, 'NextToken': token}


@action('CreateSecurityGroup')
def create_group(lab, p):
    vpc = p.get('VpcId') or (lab.default_vpc() and lab.default_vpc().base['id'])
    if not vpc:
        raise Refused('VPCIdNotSpecified', 'No default VPC for this user')
    need(lab, 'vpc', vpc)
    if p['GroupName'].startswith('sg-') or not re.match(r'[\w .:/()#,@\[\]+=&;{}!$*-]{1,255}$',
                                                        p['GroupName'], re.ASCII):
        raise Refused('InvalidParameterValue', 'Value (%s) for parameter GroupName is invalid.'
                      % p['GroupName'])
    if any(each.base['VpcId'] == vpc and each.base['GroupName'] == p['GroupName']
           for each in lab.alive('group')):
        raise Refused('InvalidGroup.Duplicate', "The security group '%s' already exists for VPC '%s'"
                      % (p['GroupName'], vpc))
    tags, = tags_of(p, 'security-group')
    would(p)
    group = lab.add_group(vpc, p['GroupName'], p['Description'], tags)
    return {'GroupId': group.base['id'], 'Tags': tag_set(tags)}


def rules_wanted(lab, p):
    found = []
    single = [{'IpProtocol': p['IpProtocol'], 'FromPort': p.get('FromPort', -1), 'ToPort':
               p.get('ToPort', -1), 'IpRanges': [{'CidrIp': p.get('CidrIp', '')}]}] \
        if 'IpProtocol' in p else []
    for each in p.get('IpPermissions', []) + single:
        base = {'IsEgress': False, 'IpProtocol': each.get('IpProtocol', '-1'),
                'FromPort': each.get('FromPort', -1), 'ToPort': each.get('ToPort', -1)}
        for one in each.get('IpRanges', ()):
            found.append(dict(base, CidrIpv4=one.get('CidrIp'), Description=one.get('Description')))
        for one in each.get('UserIdGroupPairs', ()):
            found.append(dict(base, group=need(lab, 'group', one.get('GroupId', '')).base['id']))
    if not found:
        raise Refused('MissingParameter', 'The request must contain the parameter ipPermissions')
    return found


@action('AuthorizeSecurityGroupIngress')
def authorize_ingress(lab, p):
    now = time.time()
    thing = need(lab, 'group', p.get('GroupId', ''))
    has, rules = thing.at(now)['rules'], rules_wanted(lab, p)
    for each in rules:
        if any({**old, 'id': 0, 'Description': 0} == {**each, 'id': 0, 'Description': 0}
               for old in has):
            raise Refused('InvalidPermission.Duplicate', 'the specified rule already exists')
    would(p)
    rules = [dict(each, id=lab.new_id('sgr')) for each in rules]
    thing.change(now, rules=has + rules)
    return {'Return': True, 'SecurityGroupRules': [show_rule(lab, thing.base, each)
                                                   for each in rules]}


@action('DeleteSecurityGroup')
def delete_group(lab, p):
    thing, now = need(lab, 'group', p.get('GroupId', '')), time.time()
    if thing.base['GroupName'] == 'default':
        raise Refused('CannotDelete', 'the specified group: "%s" name: "default" cannot be deleted by '
                      'a user' % thing.base['id'])
    if any(thing.base['id'] in each.at(now)['groups'] for each in lab.alive('interface')):
        raise Refused('DependencyViolation', 'resource %s has a dependent object' % thing.base['id'])
    would(p)
    lab.remove(thing)


# ---- Tags ----

TYPES = {'i': ('instance', 'instance'), 'vol': ('volume', 'volume'), 'vpc': ('vpc', 'vpc'),
         'eni': ('interface', 'network-interface'), 'eipalloc': ('address', 'elastic-ip'),
         'subnet': ('subnet', 'subnet'), 'sg': ('group', 'security-group'),
         'ami': ('image', 'image')}


def resource(lab, id):
    kind = TYPES.get(id.split('-')[0])
    if kind:
        return need(lab, kind[0], id)
    for each in lab.alive('key'):
        if each.base['KeyPairId'] == id:
            return each
    raise Refused('InvalidID', "The ID '%s' is not valid" % id)


@action('CreateTags')
def create_tags(lab, p):
    now = time.time()
    things = [resource(lab, id) for id in p['Resources']]
    tags = check_tags({each.get('Key', ''): each.get('Value', '') for each in p['Tags']})
    changed = [(each, check_tags({**each.at(now)['tags'], **tags})) for each in things]
    would(p)
    for each, tags in changed:
        each.change(now, tags=tags)


@action('DeleteTags')
def delete_tags(lab, p):
    """Those that are named, with their value if that is said; all where none is."""
    now = time.time()
    things = [resource(lab, id) for id in p['Resources']]
    would(p)
    for each in things:
        tags = dict(each.at(now)['tags'])
        for tag in p.get('Tags', ()):
            key = tag.get('Key')
            if tag.get('Value', tags.get(key)) == tags.get(key):
                tags.pop(key, None)
        each.change(now, tags=tags if 'Tags' in p else {})


@action('DescribeTags')
def describe_tags(lab, p):
    shown = []
    for kind, word in list(TYPES.values()) + [('key', 'key-pair')]:
        for each in lab.list(kind):
            shown += [{'Key': key, 'Value': value, 'ResourceType': word, 'ResourceId':
                       each.get('KeyPairId', each['id'])} for key, value in each['tags'].items()]
    wanted = [each for each in p.get('Filters', ())]
    for each in wanted:
        if each['Name'].startswith('tag:'):
            shown = [tag for tag in shown if tag['Key'] == each['Name'][4:] and
                     any(pattern(value)(tag['Value']) for value in each['Values'])]
    p = dict(p, Filters=[each for each in wanted if not each['Name'].startswith('tag:')])
    shown = filtered(p, shown, {'key': 'Key', 'value': 'Value', 'resource-id': 'ResourceId',
                                'resource-type': 'ResourceType'})
    shown, token = page(lab, p, shown, lambda each: each['ResourceId'] + each['Key'], action='tags')
    return {'Tags': shown, 'NextToken': token}
