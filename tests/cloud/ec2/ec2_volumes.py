"""Volumes."""

import time

from ec2_actions import Listing, action, need, tag_set, tags_of, would
from ec2_model import Refused

SIZES = {'gp2': (1, 16384), 'gp3': (1, 16384), 'io1': (4, 16384), 'io2': (4, 16384),
         'st1': (125, 16384), 'sc1': (125, 16384), 'standard': (1, 1024)}


def check_size(wanted, name):
    """That the volume has a size which its type can have."""
    kind, size = wanted.get('VolumeType', 'gp2'), wanted.get(name)
    if size is None:
        raise Refused('MissingParameter', 'The request must contain the parameter size or snapshotId')
    low, high = SIZES[kind]
    if not low <= size <= high:
        raise Refused('InvalidParameterValue', 'Volume of %dGiB is invalid; volumes of type %s have '
                      'from %d to %d.' % (size, kind, low, high))
    if kind in ('io1', 'io2') and 'Iops' not in wanted:
        raise Refused('MissingParameter', "The parameter iops must be specified for %s volumes" % kind)


def make_volume(lab, zone, wanted, tags, attachment=None, machine=''):
    kind = wanted.get('VolumeType', 'gp2')
    return lab.add('volume', {
        'id': lab.new_id('vol'), 'zone': zone, 'tags': tags, 'attachment': attachment,
        'used_by': machine, 'made': time.time(), 'state': 'in-use' if machine else 'creating',
        'Size': wanted['Size'], 'VolumeType': kind, 'SnapshotId': wanted.get('SnapshotId', ''),
        'Encrypted': wanted.get('Encrypted', False),
        'Iops': wanted.get('Iops', 3000 if kind == 'gp3' else 100),
        'Throughput': wanted.get('Throughput', 125) if kind == 'gp3' else None})


def show_volume(lab, thing, fields):
    shown = {name: value for name, value in fields.items() if name[0].isupper()}
    each = fields['attachment']
    return dict(shown, VolumeId=fields['id'], AvailabilityZone=fields['zone'], State=fields['state'],
                CreateTime=lab.shown(fields['made']), MultiAttachEnabled=False,
                Tags=tag_set(fields['tags']), Attachments=[show_attachment(lab, fields, each)]
                if each else [])


def show_attachment(lab, fields, each, state='attached'):
    return {'VolumeId': fields['id'], 'InstanceId': fields['used_by'], 'Device': each['device'],
            'State': state, 'AttachTime': lab.shown(each['time']),
            'DeleteOnTermination': each['delete']}


action('DescribeVolumes')(Listing('volume', 'VolumeIds', 'Volumes', show_volume, {
    'volume-id': 'VolumeId', 'availability-zone': 'AvailabilityZone', 'size': 'Size',
    'status': 'State', 'volume-type': 'VolumeType', 'snapshot-id': 'SnapshotId',
    'encrypted': 'Encrypted', 'create-time': 'CreateTime',
    'attachment.instance-id': 'Attachments.InstanceId', 'attachment.device': 'Attachments.Device',
    'attachment.status': 'Attachments.State', 'attachment.attach-time': 'Attachments.AttachTime',
    'attachment.delete-on-termination': 'Attachments.DeleteOnTermination'}, both='volumeSet'))


@action('CreateVolume')
def create_volume(lab, p):
    token = p.get('ClientToken')
    asked = {key: value for key, value in p.items() if key != 'DryRun'}
    before = lab.orders.get(('volume', token)) if token else None
    if before:
        if before[0] != asked:
            raise Refused('IdempotentParameterMismatch', 'Arguments on this idempotent request are '
                          'inconsistent with arguments used in previous request(s).')
        thing = before[1]
    else:
        if p['AvailabilityZone'] not in lab.zones:
            raise Refused('InvalidZone.NotFound', "The zone '%s' does not exist."
                          % p['AvailabilityZone'])
        check_size(p, 'Size')
        tags, = tags_of(p, 'volume')
        would(p)
        thing = make_volume(lab, p['AvailabilityZone'], p, tags)
        thing.change(time.time() + lab.pace, state='available')
        if token:
            lab.orders['volume', token] = asked, thing
    shown = show_volume(lab, thing, thing.at(time.time()))
    del shown['Attachments']
    return shown


@action('AttachVolume')
def attach_volume(lab, p):
    now = time.time()
    thing, machine = need(lab, 'volume', p['VolumeId']), need(lab, 'instance', p['InstanceId'])
    fields, to = thing.at(now), machine.at(now)
    if fields['state'] == 'in-use':
        raise Refused('VolumeInUse', '%s is already attached to an instance' % fields['id'])
    if fields['state'] != 'available':
        raise Refused('IncorrectState', "The volume '%s' is not 'available'." % fields['id'])
    if to['state'] not in ('running', 'stopped'):
        raise Refused('IncorrectState', "Instance '%s' is not 'running'." % to['id'])
    if fields['zone'] != to['zone']:
        raise Refused('InvalidVolume.ZoneMismatch', "The volume '%s' is not in the same availability "
                      "zone as instance '%s'" % (fields['id'], to['id']))
    if any(lab.things['volume'][id].at(now)['attachment']['device'] == p['Device']
           for id in to['volumes'] if lab.things['volume'][id].at(now)['used_by'] == to['id']):
        raise Refused('InvalidParameterValue', "Invalid value '%s' for unixDevice. Attachment point %s "
                      'is already in use' % (p['Device'], p['Device']))
    would(p)
    each = {'device': p['Device'], 'time': now, 'delete': False}
    thing.change(now, attachment=each, used_by=to['id'], state='in-use')
    machine.change(now, volumes=to['volumes'] + [fields['id']])
    return show_attachment(lab, thing.at(now), each, 'attaching')


@action('DetachVolume')
def detach_volume(lab, p):
    thing, now = need(lab, 'volume', p['VolumeId']), time.time()
    fields = thing.at(now)
    each, machine = fields['attachment'], fields['used_by']
    if not each or p.get('InstanceId', machine) != machine or \
            p.get('Device', each['device']) != each['device']:
        raise Refused('IncorrectState', "Volume '%s' is in the '%s' state."
                      % (fields['id'], fields['state']))
    to = lab.things['instance'][machine]
    if each['device'] == to.base['RootDeviceName'] and to.at(now)['state'] != 'stopped':
        raise Refused('OperationNotPermitted', "Unable to detach root volume '%s' from instance '%s'"
                      % (fields['id'], machine))
    would(p)
    thing.change(now, attachment=None, used_by='', state='available')
    to.change(now, volumes=[id for id in to.at(now)['volumes'] if id != fields['id']])
    return show_attachment(lab, fields, each, 'detaching')


@action('DeleteVolume')
def delete_volume(lab, p):
    thing = need(lab, 'volume', p['VolumeId'])
    fields = thing.at(time.time())
    if fields['attachment']:
        raise Refused('VolumeInUse', 'Volume %s is currently attached to %s'
                      % (fields['id'], fields['used_by']))
    would(p)
    lab.remove(thing)
