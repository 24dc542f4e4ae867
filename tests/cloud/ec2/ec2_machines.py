"""Machines: how they are shown, and what becomes of them."""

import base64
import time

from ec2_actions import Listing, action, need, need_all, tag_set, would
from ec2_catalogue import TYPES
from ec2_model import Refused
from ec2_network import attachment_of, dns_of, free_address, groups_for, names_of, show_parts


def interfaces_of(lab, fields, now):
    found = [lab.things['interface'][id].at(now) for id in fields['interfaces']]
    return sorted(found, key=lambda each: each['attachment']['index'] if each['attachment'] else 9)


def disks_of(lab, fields, now):
    found = []
    for id in fields['volumes']:
        volume = lab.things['volume'][id].at(now)
        each = volume['attachment']
        if each and volume['used_by'] == fields['id']:
            found.append({'DeviceName': each['device'], 'Ebs': {
                'VolumeId': id, 'Status': 'attached', 'AttachTime': lab.shown(each['time']),
                'DeleteOnTermination': each['delete']}})
    return found


def show_network(lab, fields, now):
    """Of a machine that has not ended: what its interfaces make of it."""
    # One that its machine is shown with may itself be shown as of before.
    found = [each for each in interfaces_of(lab, fields, now) if each['attachment']]
    if not found:
        return {}
    shown = [dict(show_parts(lab, each, True), Attachment=attachment_of(lab, each))
             for each in found]
    first = shown[0]
    public = (first['Association'] or {}).get('PublicIp')
    return {'SubnetId': first['SubnetId'], 'VpcId': first['VpcId'], 'NetworkInterfaces': shown,
            'PrivateIpAddress': first['PrivateIpAddress'], 'PublicIpAddress': public,
            'PrivateDnsName': first['PrivateDnsName'], 'SourceDestCheck': True,
            'PublicDnsName': dns_of(lab, public, True) if public else '',
            'SecurityGroups': names_of(lab, found[0]['groups'])}


def show_machine(lab, thing, fields):
    now = time.time()
    shown = {name: value for name, value in fields.items() if name[0].isupper()}
    shown.update(InstanceId=fields['id'], State=lab.state(fields), Tags=tag_set(fields['tags']),
                 LaunchTime=lab.shown(fields['launched']))
    if fields['state'] == 'terminated':
        shown.update(PrivateDnsName='', PublicDnsName='', NetworkInterfaces=[], SecurityGroups=[],
                     BlockDeviceMappings=[])
    else:
        shown.update(show_network(lab, fields, now), BlockDeviceMappings=disks_of(lab, fields, now))
    return shown


def via(prefix, paths):
    return {prefix + name: path for name, path in paths.items()}


FILTERS = {
    'instance-id': 'InstanceId', 'image-id': 'ImageId', 'instance-type': 'InstanceType',
    'instance-state-name': 'State.Name', 'instance-state-code': 'State.Code', 'vpc-id': 'VpcId',
    'availability-zone': 'Placement.AvailabilityZone', 'subnet-id': 'SubnetId',
    'private-ip-address': 'PrivateIpAddress', 'ip-address': 'PublicIpAddress',
    'dns-name': 'PublicDnsName', 'private-dns-name': 'PrivateDnsName', 'key-name': 'KeyName',
    'client-token': 'ClientToken', 'architecture': 'Architecture', 'launch-time': 'LaunchTime',
    'launch-index': 'AmiLaunchIndex', 'root-device-name': 'RootDeviceName',
    'root-device-type': 'RootDeviceType', 'tenancy': 'Placement.Tenancy', 'reason':
    'StateTransitionReason', 'state-reason-code': 'StateReason.Code', 'hypervisor': 'Hypervisor',
    'state-reason-message': 'StateReason.Message', 'virtualization-type': 'VirtualizationType',
    'monitoring-state': 'Monitoring.State', 'instance-lifecycle': 'InstanceLifecycle',
    'spot-instance-request-id': 'SpotInstanceRequestId', 'source-dest-check': 'SourceDestCheck',
    'iam-instance-profile.arn': 'IamInstanceProfile.Arn',
    'iam-instance-profile.id': 'IamInstanceProfile.Id',
    'hibernation-options.configured': 'HibernationOptions.Configured',
    'metadata-options.http-tokens': 'MetadataOptions.HttpTokens',
    'metadata-options.http-endpoint': 'MetadataOptions.HttpEndpoint',
    'placement-group-name': 'Placement.GroupName', 'affinity': 'Placement.Affinity',
    'group-id': 'SecurityGroups.GroupId', 'group-name': 'SecurityGroups.GroupName',
    'instance.group-id': 'SecurityGroups.GroupId', 'instance.group-name': 'SecurityGroups.GroupName',
    'network-interface.addresses.private-ip-address':
    'NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress',
    'network-interface.addresses.association.public-ip':
    'NetworkInterfaces.PrivateIpAddresses.Association.PublicIp',
    **via('block-device-mapping.', {
        'volume-id': 'BlockDeviceMappings.Ebs.VolumeId', 'status': 'BlockDeviceMappings.Ebs.Status',
        'device-name': 'BlockDeviceMappings.DeviceName',
        'attach-time': 'BlockDeviceMappings.Ebs.AttachTime',
        'delete-on-termination': 'BlockDeviceMappings.Ebs.DeleteOnTermination'}),
    **via('network-interface.', {
        'network-interface-id': 'NetworkInterfaces.NetworkInterfaceId',
        'subnet-id': 'NetworkInterfaces.SubnetId', 'vpc-id': 'NetworkInterfaces.VpcId',
        'status': 'NetworkInterfaces.Status', 'mac-address': 'NetworkInterfaces.MacAddress',
        'description': 'NetworkInterfaces.Description', 'owner-id': 'NetworkInterfaces.OwnerId',
        'group-id': 'NetworkInterfaces.Groups.GroupId',
        'group-name': 'NetworkInterfaces.Groups.GroupName',
        'private-dns-name': 'NetworkInterfaces.PrivateDnsName',
        'association.public-ip': 'NetworkInterfaces.Association.PublicIp',
        'association.ip-owner-id': 'NetworkInterfaces.Association.IpOwnerId',
        'attachment.attachment-id': 'NetworkInterfaces.Attachment.AttachmentId',
        'attachment.attach-time': 'NetworkInterfaces.Attachment.AttachTime',
        'attachment.status': 'NetworkInterfaces.Attachment.Status',
        'attachment.device-index': 'NetworkInterfaces.Attachment.DeviceIndex',
        'attachment.delete-on-termination': 'NetworkInterfaces.Attachment.DeleteOnTermination'}),
}


def with_reservation(lab):
    """Filters that are of more than a machine."""
    def reservation(shown):
        return [lab.things['instance'][shown['InstanceId']].base['reservation']]
    return dict(FILTERS, **{'reservation-id': reservation, 'owner-id': lambda shown: [lab.account]})


@action('DescribeInstances')
def describe_instances(lab, p):
    listing = Listing('instance', 'InstanceIds', '', show_machine, with_reservation(lab),
                      both='instancesSet')
    shown, token = listing.items(lab, p)
    found = {}
    for each in shown:
        id = lab.things['instance'][each['InstanceId']].base['reservation']
        found.setdefault(id, []).append(each)
    return {'NextToken': token, 'Reservations': [
        {'ReservationId': id, 'OwnerId': lab.account, 'Groups': [], 'Instances': each}
        for id, each in found.items()]}


def show_status(lab, thing, fields):
    shown = {'InstanceId': fields['id'], 'InstanceState': lab.state(fields), 'Events': [],
             'AvailabilityZone': fields['zone']}
    runs = fields['state'] == 'running'
    for name in 'InstanceStatus', 'SystemStatus':
        shown[name] = {'Status': 'ok' if runs else 'not-applicable'}
        if runs:
            shown[name]['Details'] = [{'Name': 'reachability', 'Status': 'passed'}]
    return shown


STATUS = Listing('instance', 'InstanceIds', 'InstanceStatuses', show_status, {
    'availability-zone': 'AvailabilityZone', 'instance-state-name': 'InstanceState.Name',
    'instance-state-code': 'InstanceState.Code', 'instance-status.status': 'InstanceStatus.Status',
    'instance-status.reachability': 'InstanceStatus.Details.Status',
    'system-status.status': 'SystemStatus.Status',
    'system-status.reachability': 'SystemStatus.Details.Status'}, both='instancesSet')


@action('DescribeInstanceStatus')
def describe_status(lab, p):
    """Of machines that run, unless all are wanted."""
    if not p.get('IncludeAllInstances'):
        p = dict(p, Filters=p.get('Filters', []) + [
            {'Name': 'instance-state-code', 'Values': ['16', '999']}])
    return STATUS(lab, p)


# ---- Start, stop, reboot, terminate ----

PENDING = {'Code': 'pending', 'Message': 'pending'}


def change_of(lab, id, before, after):
    return {'InstanceId': id, 'PreviousState': before, 'CurrentState': lab.state({'state': after})}


def wrong_state(id, verb):
    return Refused('IncorrectInstanceState', "The instance '%s' is not in a state from which it can "
                   'be %s.' % (id, verb))


def user_reason(lab, what, now, code='Client.UserInitiatedShutdown', words='User initiated shutdown'):
    when = time.strftime('%Y-%m-%d %H:%M:%S GMT', time.gmtime(now + lab.clock))
    return {'StateTransitionReason': '%s (%s)' % (what, when),
            'StateReason': {'Code': code, 'Message': '%s: %s' % (code, words)}}


def publish(lab, fields, now):
    """Addresses for those interfaces that want one and have none, when the machine runs."""
    for id in fields['interfaces']:
        interface = lab.things['interface'][id]
        has = interface.at(now)
        if has['wants_public'] and not has['public'] and not has['address']:
            interface.change(now + lab.boot, public=lab.new_public())


@action('StartInstances')
def start_instances(lab, p):
    now, done = time.time(), []
    things = need_all(lab, 'instance', p['InstanceIds'])
    for each in things:
        if each.at(now)['state'] not in ('stopped', 'running', 'pending'):
            raise wrong_state(each.base['id'], 'started')
    for each in things:
        fields = each.at(now)
        if fields['state'] == 'stopped' and lab.room(fields['zone'], fields['InstanceType']) == 0:
            raise no_room(fields['zone'], fields['InstanceType'])
    would(p)
    for each in things:
        fields = each.at(now)
        before, after = lab.state(fields), fields['state']
        if after == 'stopped':
            after = 'pending'
            publish(lab, fields, now)
            each.change(now, state='pending', launched=now, StateReason=PENDING,
                        StateTransitionReason='')
            each.change(now + lab.boot, state='running', StateReason=None)
            lab.note('start', 'instance', fields['id'], each.token)
        done.append(change_of(lab, fields['id'], before, after))
    return {'StartingInstances': done}


def no_room(zone, kind):
    return Refused('InsufficientInstanceCapacity', 'We currently do not have sufficient %s capacity '
                   'in the Availability Zone you requested (%s). Our system will be working on '
                   'provisioning additional capacity.' % (kind, zone), 500)


def check_stop(p, fields):
    if fields['state'] == 'pending' and fields['launched'] == fields['made']:
        raise Refused('IncorrectInstanceState', "Instance '%s' cannot be stopped as it has never "
                      "reached the 'running' state." % fields['id'])
    if fields['state'] not in ('running', 'stopped', 'stopping'):
        raise wrong_state(fields['id'], 'stopped')
    if fields['one_time']:
        raise Refused('UnsupportedOperation', "You can't stop the Spot Instance '%s' because it is "
                      'associated with a one-time Spot Instance request.' % fields['id'])
    if p.get('Hibernate') and not fields['HibernationOptions']['Configured']:
        raise Refused('UnsupportedHibernationConfiguration', "The instance '%s' is not enabled for "
                      'hibernation.' % fields['id'])


@action('StopInstances')
def stop_instances(lab, p):
    now, done = time.time(), []
    things = need_all(lab, 'instance', p['InstanceIds'])
    for each in things:
        check_stop(p, each.at(now))
    would(p)
    for each in things:
        fields = each.at(now)
        before, after = lab.state(fields), fields['state']
        if after == 'running':
            after = 'stopping'
            why = user_reason(lab, 'User initiated', now, 'Client.UserInitiatedHibernate',
                              'User initiated hibernate') if p.get('Hibernate') \
                else user_reason(lab, 'User initiated', now)
            each.change(now, state='stopping', **why)
            each.change(now + lab.pace, state='stopped')
            for id in fields['interfaces']:
                lab.things['interface'][id].change(now + lab.pace, public=None)
            lab.note('stop', 'instance', fields['id'], each.token)
        done.append(change_of(lab, fields['id'], before, after))
    return {'StoppingInstances': done}


@action('RebootInstances')
def reboot_instances(lab, p):
    now = time.time()
    things = need_all(lab, 'instance', p['InstanceIds'])
    for each in things:
        if each.at(now)['state'] not in ('running', 'pending'):
            raise Refused('IncorrectState', "The instance '%s' is not in the 'running' state."
                          % each.base['id'])
    would(p)
    for each in things:
        lab.note('reboot', 'instance', each.base['id'], each.token)


@action('TerminateInstances')
def terminate_instances(lab, p):
    now, done = time.time(), []
    things = need_all(lab, 'instance', p['InstanceIds'])
    for each in things:
        if each.at(now)['protected'] and each.alive(now):
            raise Refused('OperationNotPermitted', "The instance '%s' may not be terminated. Modify "
                          "its 'disableApiTermination' instance attribute and try again."
                          % each.base['id'])
    would(p)
    for each in things:
        fields = each.at(now)
        before, after = lab.state(fields), fields['state']
        if each.gone is None:
            after = 'shutting-down'
            end = now + lab.pace
            each.forget_plans(now)
            each.change(now, state='shutting-down', **user_reason(lab, 'User initiated', now))
            each.change(end, state='terminated')
            each.lingers = lab.terminated_s
            lab.remove(each, end)
            lab.plan(end, lambda id=fields['id'], at=end: let_go(lab, id, at))
        done.append(change_of(lab, fields['id'], before, after))
    return {'TerminatingInstances': done}


@action('CancelSpotInstanceRequests')
def cancel_spot(lab, p):
    """A request that is persistent would make another machine, had this emulator the time."""
    ids = p['SpotInstanceRequestIds']
    found = {each.base.get('SpotInstanceRequestId'): each
             for each in lab.things['instance'].values()}
    gone = [id for id in ids if id not in found]
    if gone:
        raise Refused('InvalidSpotInstanceRequestID.NotFound', 'The spot instance request ID %s does '
                      'not exist' % gone[0])
    would(p)
    for id in ids:
        lab.note('cancelled', 'spot request', id, found[id].token)
    return {'CancelledSpotInstanceRequests': [
        {'SpotInstanceRequestId': id, 'State': 'cancelled'} for id in ids]}


def let_go(lab, id, now):
    """What a machine had: some ends with it, the rest is free again."""
    fields = lab.things['instance'][id].at(now)
    for each in fields['interfaces']:
        thing = lab.things['interface'][each]
        has = thing.at(now)
        if has['attachment']['delete']:
            free_address(lab, has)
            lab.remove(thing, now)
        else:
            thing.change(now, attachment=None, used_by='', public=None)
            if has['address']:
                lab.things['address'][has['address']].change(now, used_by=has['id'])
    for each in fields['volumes']:
        thing = lab.things['volume'][each]
        has = thing.at(now)
        if has['used_by'] != id or not thing.alive(now):
            continue
        if has['attachment']['delete']:
            lab.remove(thing, now)
        else:
            thing.change(now, attachment=None, used_by='', state='available')


# ---- Attributes, console ----

@action('ModifyInstanceAttribute')
def modify_instance(lab, p):
    thing, now = need(lab, 'instance', p['InstanceId']), time.time()
    fields = thing.at(now)
    p = dict(p)
    if 'Attribute' in p and 'Value' in p:       # the older way to say it
        name = p['Attribute'][0].upper() + p['Attribute'][1:]
        value = p['Value']
        p[name] = {'Value': value == 'true' if value in ('true', 'false') else value}
    changes = {}
    if 'InstanceType' in p:
        wanted = p['InstanceType'].get('Value')
        if fields['state'] != 'stopped':
            raise Refused('IncorrectInstanceState', "The instance '%s' is not in the 'stopped' "
                          'state.' % fields['id'])
        if wanted not in TYPES:
            raise Refused('InvalidInstanceAttributeValue', "The instance type '%s' is not valid"
                          % wanted)
        if TYPES[wanted][2] != fields['Architecture']:
            raise Refused('InvalidParameterCombination', "The architecture '%s' of the specified "
                          "instance type does not match that of the instance" % TYPES[wanted][2])
        changes['InstanceType'] = wanted
    if 'DisableApiTermination' in p:
        changes['protected'] = bool(p['DisableApiTermination'].get('Value'))
    if 'Groups' in p:
        interface = lab.things['interface'][fields['interfaces'][0]]
        groups = groups_for(lab, p['Groups'], interface.base['VpcId'])
    elif not changes:
        raise Refused('InvalidParameterCombination', 'No attributes specified.')
    would(p)
    thing.change(now, **changes)
    if 'Groups' in p:
        interface.change(now, groups=groups)


@action('GetConsoleOutput')
def console_output(lab, p):
    thing = need(lab, 'instance', p['InstanceId'])
    text = '' if thing.at(time.time())['state'] == 'pending' else \
        'Linux version 6.1\n%s login: ' % thing.base['id']
    return {'InstanceId': thing.base['id'], 'Timestamp': lab.shown(time.time()),
            'Output': base64.b64encode(text.encode()).decode()}
