"""What the gateway shows of a cloud is what the cloud's own client shows, for every field of every
kind of thing: in lists and alone, by name and by id.
"""

import fields


class Showing:
    """For a test with a `gateway` whose cloud is `lab`."""

    # What the cloud's own list does not have, and a call for each would cost too much.
    NOT_LISTED = {}
    # Parts that a test compares by itself.
    DETAILS = ('rules',)

    def check(self, noun, table, theirs, details=None):
        """Every thing of this kind, three times: in the list, by id, by name."""
        listed = self.listing(noun)
        self.assertEqual(sorted(each['id'] for each in listed), sorted(theirs),
                         'isobar %s list and the cloud differ' % noun)
        wrong = []
        names = [each.get('name') for each in listed]
        missing = self.NOT_LISTED.get(noun, [])
        for ours in listed:
            self.assertEqual(ours.get('cloud'), 'lab')
            want = theirs[ours['id']]
            ways = [('list', ours), ('id', self.shown(noun, ours['id']))]
            if ours.get('name') and names.count(ours['name']) == 1:
                ways.append(('name', self.shown(noun, ours['name'])))
            for how, each in ways:
                rows = [row for row in table if how != 'list' or row[0] not in missing]
                wrong += ['%s %s (by %s): %s' % (noun, ours['id'], how, what)
                          for what in fields.compare(rows, self.flat(each, details), want)
                          + (details(each, want) if details else [])]
        self.assertFalse(wrong, '\n' + '\n'.join(wrong))

    def listing(self, noun):
        return self.gateway.ok(noun, 'list', '--cloud', 'lab', '-o', 'json').json()

    def shown(self, noun, name):
        return self.gateway.ok(noun, 'show', 'lab/' + name, '-o', 'json').json()

    def flat(self, ours, details):
        """Without the parts that `details` compares."""
        return {k: v for k, v in ours.items() if not details or k not in self.DETAILS}
