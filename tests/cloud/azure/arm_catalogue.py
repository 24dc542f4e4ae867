"""What every subscription is offered: locations, sizes, images."""

# name: (its name for people, whether it has zones)
LOCATIONS = {'westeurope': ('West Europe', True), 'eastus': ('East US', True),
             'westus': ('West US', False)}
HOME = 'westeurope'
ZONES = ('1', '2', '3')


def location_of(text):
    """"West Europe" or "WestEurope": 'westeurope'."""
    return str(text).replace(' ', '').lower()


SIZES = {name: {'name': name, 'numberOfCores': cores, 'osDiskSizeInMB': 1047552,
                'resourceDiskSizeInMB': disk, 'memoryInMB': memory, 'maxDataDiskCount': disks}
         for name, cores, memory, disk, disks in (
             ('Standard_B1s', 1, 1024, 4096, 2), ('Standard_B2s', 2, 4096, 8192, 4),
             ('Standard_D2s_v3', 2, 8192, 16384, 4), ('Standard_D4s_v3', 4, 16384, 32768, 8),
             ('Standard_D8s_v3', 8, 32768, 65536, 16), ('Standard_E2s_v5', 2, 16384, 0, 4))}


def size_of(name):
    """By its name, whatever its case; or None."""
    return next((size for each, size in SIZES.items() if each.lower() == str(name).lower()), None)


# publisher: {offer: {sku: (versions, OS, generation)}}
MARKET = {
    'Canonical': {
        'UbuntuServer': {'18.04-LTS': (('18.04.202001010', '18.04.202301010'), 'Linux', 'V1')},
        '0001-com-ubuntu-server-jammy': {
            '22_04-lts': (('22.04.202201010', '22.04.202301010', '22.04.202401010'), 'Linux', 'V1'),
            '22_04-lts-gen2': (('22.04.202401010',), 'Linux', 'V2')}},
    'Debian': {'debian-12': {'12': (('0.20240101.1', '0.20240201.10', '0.20240201.9'), 'Linux',
                                    'V1')}},
    'MicrosoftWindowsServer': {
        'WindowsServer': {'2022-datacenter': (('20348.1.240101',), 'Windows', 'V1')}},
}
SYSTEM_DISK_GB = {'Linux': 30, 'Windows': 127}


def caseless(table, name):
    """(key, value) of a name, whatever its case; or (None, None)."""
    return next(((key, value) for key, value in table.items()
                 if key.lower() == str(name).lower()), (None, None))


def version_key(version):
    return [int(part) for part in version.split('.')]


def market_image(reference):
    """(versions, OS, generation) of what is referred to; or None."""
    table = MARKET
    for part in 'publisher', 'offer', 'sku':
        _, table = caseless(table, reference.get(part))
        if table is None:
            return None
    return table


PUBLIC_KEY = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGSFfkdmTbkMyzYwTsVVNqVmCiZFYCPqJiqhnmeUIyn6 '
              'tester@example')
KEY_NAME, IMAGE_NAME, VNET_NAME, NSG_NAME, GROUP_NAME = 'tester', 'golden', 'net', 'web', 'lab'
