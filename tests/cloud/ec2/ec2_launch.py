"""RunInstances: all that can be wrong with it is looked at before anything is made."""

import base64
import binascii
import time

from ec2_actions import action, need, tags_of, would
from ec2_catalogue import TEMPLATE, TYPES
from ec2_machines import PENDING, no_room, publish, show_machine
from ec2_model import Refused
from ec2_network import check_private, groups_for, make_interface
from ec2_volumes import check_size, make_volume

USER_DATA_MAX = 16384
MORE = 'Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.'
# What belongs to interfaces where interfaces are given.
ELSEWHERE = {'SubnetId': 'an instance-level subnet ID', 'SecurityGroupIds':
             'an instance-level security group', 'SecurityGroups': 'an instance-level security group',
             'PrivateIpAddress': 'an instance-level private address'}


def with_template(p):
    """Under what is asked for, what a launch template has."""
    wanted = p.get('LaunchTemplate')
    if wanted is None:
        return p
    name, id = wanted.get('LaunchTemplateName'), wanted.get('LaunchTemplateId')
    if (name is None) == (id is None):
        raise Refused('InvalidParameterCombination', 'Either a launch template ID or a name')
    if id is not None:
        raise Refused('InvalidLaunchTemplateId.NotFound', 'The specified launch template, with '
                      'template ID %s, does not exist.' % id)
    if name != TEMPLATE['name']:
        raise Refused('InvalidLaunchTemplateName.NotFoundException', 'The specified launch template, '
                      'with template name %s, does not exist.' % name)
    return {**TEMPLATE['data'], **p}


class Launch:
    """What is asked for, checked."""

    def __init__(self, lab, p):
        self.lab, self.p = lab, p
        self.check_counts()
        self.check_image_and_type()
        self.networks()
        self.check_words()
        self.disks = self.disks_wanted()
        self.tags, self.volume_tags, self.interface_tags, _ = tags_of(
            p, 'instance', 'volume', 'network-interface', 'spot-instances-request')
        self.spot = p.get('InstanceMarketOptions', {}).get('MarketType') == 'spot'

    def check_counts(self):
        low, high = self.p['MinCount'], self.p['MaxCount']
        if low < 1 or high < low:
            raise Refused('InvalidParameterValue', 'Value (%d) for parameter minCount is invalid. It '
                          'must be from 1 to maxCount.' % low)

    def check_image_and_type(self):
        lab, p = self.lab, self.p
        if 'ImageId' not in p:
            raise Refused('MissingParameter', 'The request must contain the parameter ImageId')
        self.image = need(lab, 'image', p['ImageId']).base
        self.type = p.get('InstanceType', 'm1.small')
        if self.type not in TYPES:
            raise Refused('InvalidParameterValue', "Invalid value '%s' for InstanceType." % self.type)
        architecture = TYPES[self.type][2]
        if architecture != self.image['Architecture']:
            raise Refused('InvalidParameterValue', "The architecture '%s' of the specified instance "
                          "type does not match the architecture '%s' of the specified AMI. Specify an "
                          'instance type and an AMI that have matching architectures, and try again.'
                          % (architecture, self.image['Architecture']))

    # ---- Where ----

    def networks(self):
        """self.zone, and self.interfaces: as asked for, or a single one."""
        lab, p = self.lab, self.p
        asked = p.get('NetworkInterfaces')
        if asked:
            for name, words in ELSEWHERE.items():
                if name in p:
                    raise Refused('InvalidParameterCombination', 'Network interfaces and %s may not '
                                  'be specified on the same request' % words)
        else:
            asked = [{'DeviceIndex': 0, 'SubnetId': p.get('SubnetId'), 'names': p.get('SecurityGroups'),
                      'Groups': p.get('SecurityGroupIds'),
                      'PrivateIpAddress': p.get('PrivateIpAddress')}]
        self.zone = p.get('Placement', {}).get('AvailabilityZone')
        if self.zone is not None and self.zone not in lab.zones:
            raise Refused('InvalidParameterValue', 'Invalid availability zone: [%s]' % self.zone)
        if sorted(each.get('DeviceIndex', -1) for each in asked) != list(range(len(asked))):
            raise Refused('InvalidParameterValue', 'Each network interface requires a device index of '
                          'its own, from 0 on.')
        self.interfaces = [self.interface(each) for each in asked]
        if self.zone[-1] not in TYPES[self.type][5]:
            raise Refused('Unsupported', 'Your requested instance type (%s) is not supported in your '
                          'requested Availability Zone (%s). Please retry your request by not '
                          'specifying an Availability Zone or choosing another.'
                          % (self.type, self.zone))

    def interface(self, asked):
        """(what is asked for, its subnet, its groups, the thing where there is one)"""
        lab = self.lab
        if asked.get('NetworkInterfaceId'):
            thing = self.given_interface(asked)
            subnet = lab.things['subnet'][thing.base['SubnetId']].base
        else:
            thing, subnet = None, self.subnet_for(asked.get('SubnetId'))
        if self.zone not in (None, subnet['zone']):
            raise Refused('InvalidParameterValue', "The availability zone '%s' and the subnet '%s' "
                          'do not fit' % (self.zone, subnet['id']))
        self.zone = subnet['zone']
        if thing:
            return asked, subnet, None, thing
        groups = asked.get('Groups') or self.groups_by_name(asked.get('names'), subnet['VpcId'])
        if asked.get('PrivateIpAddress') and self.p['MaxCount'] > 1:
            raise Refused('InvalidParameterCombination', 'A private IP address goes with one machine')
        check_private(lab, subnet, asked.get('PrivateIpAddress'))
        return asked, subnet, groups_for(lab, groups, subnet['VpcId']), None

    def given_interface(self, asked):
        for name in 'SubnetId', 'Groups', 'AssociatePublicIpAddress', 'PrivateIpAddress':
            if asked.get(name) is not None:
                raise Refused('InvalidParameterCombination', 'A network interface may not specify both '
                              'a network interface ID and %s' % name)
        if self.p['MaxCount'] > 1:
            raise Refused('InvalidParameterCombination', 'A network interface goes with one machine')
        thing = need(self.lab, 'interface', asked['NetworkInterfaceId'])
        if thing.at(time.time())['attachment']:
            raise Refused('InvalidNetworkInterface.InUse', 'Interface: [%s] in use.'
                          % thing.base['id'])
        return thing

    def subnet_for(self, id):
        if id:
            return need(self.lab, 'subnet', id).base
        vpc = self.lab.default_vpc()
        fits = [each.base for each in self.lab.alive('subnet')
                if vpc and each.base['VpcId'] == vpc.base['id'] and each.base['DefaultForAz'] and
                self.zone in (None, each.base['zone']) and
                each.base['zone'][-1] in TYPES[self.type][5]]
        if not fits and vpc and self.zone:      # this type is not in that zone
            fits = [each.base for each in self.lab.alive('subnet') if each.base['zone'] == self.zone]
        if not fits:
            raise Refused('MissingInput', 'No subnets found for the default VPC. Please specify a '
                          'subnet.') if vpc else Refused(
                'VPCIdNotSpecified', 'No default VPC for this user. GroupName is only supported for '
                'EC2-Classic and default VPC.')
        return next((each for each in fits if self.lab.room(each['zone'], self.type) != 0), fits[0])

    def groups_by_name(self, names, vpc):
        found = []
        for name in names or ():
            ids = [each.base['id'] for each in self.lab.alive('group')
                   if each.base['VpcId'] == vpc and each.base['GroupName'] == name]
            if not ids:
                raise Refused('InvalidGroup.NotFound', "The security group '%s' does not exist in "
                              "VPC '%s'" % (name, vpc))
            found += ids
        return found

    # ---- What else ----

    def check_words(self):
        lab, p = self.lab, self.p
        if 'KeyName' in p:
            need(lab, 'key', p['KeyName'])
        if len(p.get('ClientToken', '')) > 64:
            raise Refused('InvalidParameterValue', 'Client token is too long: 64 characters at most')
        try:
            data = base64.b64decode(p.get('UserData', ''), validate=True)
        except binascii.Error:
            raise Refused('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.') from None
        if len(data) > USER_DATA_MAX:
            raise Refused('InvalidParameterValue', 'User data is limited to %d bytes' % USER_DATA_MAX)
        profile = p.get('IamInstanceProfile', {})
        if profile and (('Arn' in profile) == ('Name' in profile)):
            raise Refused('InvalidParameterCombination', "The parameter 'iamInstanceProfile.name' may "
                          "not be used in combination with 'iamInstanceProfile.arn'")

    def disks_wanted(self):
        """A dict a volume: device, size, type, deletion, encryption; the image's, and on top of them
        what is asked for."""
        found = {each['DeviceName']: dict(each['Ebs'])
                 for each in self.image['BlockDeviceMappings']}
        for each in self.p.get('BlockDeviceMappings', ()):
            name = each.get('DeviceName')
            if not name:
                raise Refused('MissingParameter', 'The request must contain the parameter deviceName')
            if 'NoDevice' in each:
                found.pop(name, None)
            elif 'VirtualName' not in each:
                wanted = each.get('Ebs', {})
                least = found.get(name, {}).get('VolumeSize')
                if least and wanted.get('VolumeSize', least) < least:
                    raise Refused('InvalidBlockDeviceMapping', "Volume of size %dGB is smaller than "
                                  "snapshot '%s', expect size >= %dGB" % (
                                      wanted['VolumeSize'], found[name]['SnapshotId'], least))
                found[name] = {'DeleteOnTermination': False, 'VolumeType': 'gp2',
                               'Encrypted': False, **found.get(name, {}), **wanted}
                check_size(found[name], 'VolumeSize')
        return found

    # ---- How many ----

    def fit(self):
        """So many of them as there is a quota and room for."""
        lab, low, n = self.lab, self.p['MinCount'], self.p['MaxCount']
        now = time.time()
        alive = [each.at(now) for each in lab.alive('instance')]
        free = lab.instances - len(alive)
        if lab.refuse and self.tags.get('Name', '').startswith(lab.refuse) or free < low:
            raise Refused('InstanceLimitExceeded', 'You have requested more instances (%d) than your '
                          'current instance limit of %d allows for the specified instance type. %s'
                          % (len(alive) + low, lab.instances, MORE))
        vcpus = TYPES[self.type][0]
        used = sum(TYPES[each['InstanceType']][0] for each in alive if each['state'] != 'stopped')
        free_vcpus = (lab.vcpus - used) // vcpus
        if free_vcpus < low:
            raise Refused('VcpuLimitExceeded', 'You have requested more vCPU capacity than your '
                          'current vCPU limit of %d allows for the instance bucket that the specified '
                          'instance type belongs to. %s' % (lab.vcpus, MORE))
        room = lab.room(self.zone, self.type)
        if room is not None and room < low:
            raise no_room(self.zone, self.type)
        return min([n, free, free_vcpus] + ([] if room is None else [room]))

    # ---- Making ----

    def fields(self, n, reservation, now):
        lab, p = self.lab, self.p
        metadata, placement = p.get('MetadataOptions', {}), p.get('Placement', {})
        fields = {
            'id': lab.new_id('i'), 'tags': self.tags, 'state': 'pending', 'launched': now,
            'made': now,
            'zone': self.zone, 'reservation': reservation, 'one_time': self.spot and self.one_time(),
            'protected': p.get('DisableApiTermination', False),
            'ImageId': self.image['id'], 'InstanceType': self.type, 'AmiLaunchIndex': n,
            'Architecture': self.image['Architecture'], 'ClientToken': p.get('ClientToken', ''),
            'KeyName': p.get('KeyName'), 'EnaSupport': True, 'Hypervisor': 'xen', 'ProductCodes': [],
            'EbsOptimized': p.get('EbsOptimized', False), 'StateTransitionReason': '',
            'StateReason': PENDING,
            'RootDeviceName': self.image['RootDeviceName'], 'RootDeviceType': 'ebs',
            'VirtualizationType': 'hvm', 'PlatformDetails': 'Linux/UNIX',
            'UsageOperation': 'RunInstances', 'EnclaveOptions': {'Enabled': False},
            'Monitoring': {'State': 'enabled' if p.get('Monitoring', {}).get('Enabled')
                           else 'disabled'},
            'Placement': {'AvailabilityZone': self.zone, 'Tenancy': placement.get('Tenancy', 'default'),
                          'GroupName': placement.get('GroupName', '')},
            'HibernationOptions': {'Configured': p.get('HibernationOptions', {}).get(
                'Configured', False)},
            'MetadataOptions': {
                'State': 'applied', 'HttpTokens': metadata.get('HttpTokens', 'optional'),
                'HttpPutResponseHopLimit': metadata.get('HttpPutResponseHopLimit', 1),
                'HttpEndpoint': metadata.get('HttpEndpoint', 'enabled'),
                'HttpProtocolIpv6': metadata.get('HttpProtocolIpv6', 'disabled'),
                'InstanceMetadataTags': metadata.get('InstanceMetadataTags', 'disabled')}}
        if 'IamInstanceProfile' in p:
            profile = p['IamInstanceProfile']
            fields['IamInstanceProfile'] = {'Id': 'AIPA' + lab.account, 'Arn': profile.get(
                'Arn') or 'arn:aws:iam::%s:instance-profile/%s' % (lab.account, profile['Name'])}
        if self.spot:
            fields.update(InstanceLifecycle='spot', SpotInstanceRequestId='sir-' + fields['id'][3:11])
        return fields

    def one_time(self):
        options = self.p['InstanceMarketOptions'].get('SpotOptions', {})
        return options.get('SpotInstanceType', 'one-time') == 'one-time'

    def attach_interfaces(self, machine, now):
        ids = []
        for asked, subnet, groups, thing in self.interfaces:
            kept = thing is not None
            if not kept:
                thing = make_interface(self.lab, subnet, groups, self.interface_tags,
                                       asked.get('PrivateIpAddress'), asked.get('Description', ''))
            index = asked['DeviceIndex']
            public = asked.get('AssociatePublicIpAddress')
            if public is None:
                public = not kept and index == 0 and subnet['MapPublicIpOnLaunch']
            thing.change(now, used_by=machine, wants_public=public, attachment={
                'id': self.lab.new_id('eni-attach'), 'time': now, 'index': index,
                'delete': asked.get('DeleteOnTermination', not kept)})
            address = thing.at(now)['address']
            if address:
                self.lab.things['address'][address].change(now, used_by=machine)
            ids.append(thing.base['id'])
        return ids

    def make(self, n, reservation):
        now, lab = time.time(), self.lab
        fields = self.fields(n, reservation, now)
        fields['interfaces'] = self.attach_interfaces(fields['id'], now)
        fields['volumes'] = [
            make_volume(lab, self.zone, dict(each, Size=each['VolumeSize']), self.volume_tags, {
                'device': device, 'time': now, 'delete': each['DeleteOnTermination']},
                fields['id']).base['id'] for device, each in self.disks.items()]
        publish(lab, fields, now)
        thing = lab.add('instance', fields, self.p.get('ClientToken'))
        thing.change(now + lab.boot, state='running', StateReason=None)
        return thing


def reservation_of(lab, id, things):
    now = time.time()
    return {'ReservationId': id, 'OwnerId': lab.account, 'Groups': [],
            'Instances': [show_machine(lab, each, each.at(now)) for each in things]}


@action('RunInstances')
def run_instances(lab, p):
    asked = {name: value for name, value in p.items() if name != 'DryRun'}
    token = p.get('ClientToken') or None
    before = lab.orders.get(('instance', token)) if token else None
    if before:
        if before[0] != asked:
            raise Refused('IdempotentParameterMismatch', 'Arguments on this idempotent request are '
                          'inconsistent with arguments used in previous request(s).')
        if all(each.at(time.time())['state'] == 'terminated' for each in before[2]):
            raise Refused('IdempotentInstanceTerminated', 'The client token belongs to a machine that '
                          'has been terminated.')
        would(p)
        return reservation_of(lab, *before[1:])
    launch = Launch(lab, with_template(p))
    n = launch.fit()
    would(p)
    id = lab.new_id('r')
    things = [launch.make(each, id) for each in range(n)]
    if token:
        lab.orders['instance', token] = asked, id, things
    return reservation_of(lab, id, things)
