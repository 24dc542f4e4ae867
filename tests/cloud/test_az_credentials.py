#!/usr/bin/python3
"""Tokens of managed identities and of `az`, and which credentials are taken where there are several:
what is asked, what is made of the answers, good and bad, and what is said of them.
"""

import json
import sys
import time
import unittest

from az_home import CLIENT, PRINCIPAL, SUB, TENANT, Home
from az_services import entra_error

UNAUTHORIZED, UNAVAILABLE, LIMITED = 'Unauthorized', 'Unavailable', 'RateLimited'
APP_SERVICE = 'IDENTITY_ENDPOINT'


class Metadata(Home):
    only = {'credential': 'managed_identity'}

    def test_request(self):
        got = self.token({}, **self.only)
        self.assertEqual((got['token'], got['source']), ('imds-1', 'the managed identity'))
        request, = self.services.asked
        self.assertEqual((request.method, request.path), ('GET', '/metadata/identity/oauth2/token'))
        self.assertEqual(request.query, {'api-version': '2018-02-01', 'resource': 'https://arm.x'})

    def test_of_a_client(self):
        self.assertEqual(self.token({'AZURE_CLIENT_ID': CLIENT}, **self.only)['source'],
                         'the managed identity ' + CLIENT)
        self.assertEqual(self.services.asked[0].query['client_id'], CLIENT)

    def test_no_such_identity(self):
        self.services.say = [(400, '{"error":"invalid_request",'
                                   '"error_description":"Identity not found"}')]
        got = self.refusal({'AZURE_CLIENT_ID': CLIENT}, UNAUTHORIZED, 'cloud lab: ', CLIENT,
                           'no such managed identity is assigned (Identity not found, 400)',
                           **self.only)
        self.assertEqual((got['native'], got['message']), ('invalid_request', 'Identity not found'))

    def test_wrong_audience(self):
        self.services.say = [(400, '{"error":"invalid_resource","error_description":"No such one"}')]
        self.refusal({}, UNAUTHORIZED, 'cloud lab: ', 'it refuses us (No such one, 400)')

    def test_tries_again(self):
        for status in 404, 429, 500, 503:
            self.services.reset()
            self.services.say = [(status, '')]
            self.assertEqual(self.token({}, **self.only)['token'], 'imds-2')

    def test_being_updated(self):
        """A wait that would pass the deadline is not begun."""
        self.services.say = [(410, '')]
        got = self.refusal({}, UNAVAILABLE, 'it answers 410', timeout_ms=4000, **self.only)
        self.assertEqual(got['after_ms'], 10000)

    def test_throttled(self):
        self.services.say = [(429, '')] * 9
        self.refusal({}, LIMITED, 'it answers 429', timeout_ms=2500, **self.only)
        self.assertLessEqual(len(self.services.asked), 2)

    def test_nobody_is_there(self):
        self.refusal({'AZURE_POD_IDENTITY_AUTHORITY_HOST': 'http://127.0.0.1:9'}, UNAVAILABLE,
                     'instance metadata at http://127.0.0.1:9 does not answer', timeout_ms=2500,
                     **self.only)

    def test_server_clock(self):
        """expires_on is by the clock of its server."""
        self.services.ahead = -86400
        self.services.say = [(200, json.dumps({'access_token': 'x', 'expires_on':
                                               int(time.time()) - 86400 + 600}))]
        calls = self.tokens({}, steps='gg', **self.only)
        self.assertEqual([c['token'] for c in calls], ['x', 'x'])

    def test_expired(self):
        self.services.say = [(200, json.dumps({'access_token': 'x', 'expires_on': '1000'}))]
        self.refusal({}, UNAUTHORIZED, 'has expired', **self.only)

    def test_app_service(self):
        env = {APP_SERVICE: self.url + '/msi/token', 'IDENTITY_HEADER': 'the-header'}
        self.assertEqual(self.token(dict(env, AZURE_CLIENT_ID=CLIENT))['token'], 'identity-1')
        request, = self.services.asked
        self.assertEqual((request.method, request.path), ('GET', '/msi/token'))
        self.assertEqual(request.headers['X-Identity-Header'], 'the-header')
        self.assertEqual(request.query, {'api-version': '2019-08-01', 'resource': 'https://arm.x',
                                         'client_id': CLIENT})
        self.services.say = [(400, '{"statusCode": 400, "message": "No User Assigned"}')]
        self.refusal(env, UNAUTHORIZED, 'IDENTITY_ENDPOINT', 'No User Assigned')
        self.services.say = [(401, '')]
        self.refusal(env, UNAUTHORIZED, 'it refuses us (401)')
        self.assertEqual(self.az.calls(), [])

    def test_azure_ml(self):
        self.token({'MSI_ENDPOINT': self.url + '/ml', 'MSI_SECRET': 's', 'AZURE_CLIENT_ID': CLIENT})
        request, = self.services.asked
        self.assertEqual(request.headers['Secret'], 's')
        self.assertEqual(request.query, {'api-version': '2017-09-01', 'resource': 'https://arm.x',
                                         'clientid': CLIENT})

    def test_cloud_shell(self):
        self.token({'MSI_ENDPOINT': self.url + '/shell'})
        request, = self.services.asked
        self.assertEqual((request.method, request.headers['Metadata']), ('POST', 'true'))
        self.assertEqual(request.form, {'resource': 'https://arm.x'})


class Cli(Home):
    only = {'credential': 'cli'}

    def test_call(self):
        got = self.token({}, **self.only)
        self.assertEqual((got['token'], got['source']), ('cli-token', 'az'))
        self.assertEqual(self.az.calls(), [['account', 'get-access-token', '--output', 'json',
                                            '--resource', 'https://arm.x', '--subscription', SUB]])
        self.assertEqual(self.services.asked, [])

    def test_of_a_tenant(self):
        self.token({'AZURE_TENANT_ID': TENANT}, **self.only)
        self.assertEqual(self.az.calls()[0][-2:], ['--tenant', TENANT])

    def test_local_time(self):
        """Of a process nine hours west of UTC."""
        at = time.gmtime(time.time() + 3600 - 9 * 3600)
        self.az.say({'accessToken': 'x', 'expiresOn': time.strftime('%Y-%m-%d %H:%M:%S.123456', at)})
        calls = self.tokens({'TZ': 'XYZ+9'}, steps='gg', **self.only)
        self.assertEqual([c.get('token') for c in calls], ['x', 'x'])
        self.assertEqual(len(self.az.calls()), 1)
        self.refusal({'TZ': 'XYZ+0'}, UNAUTHORIZED, 'has expired', **self.only)

    def test_wrong(self):
        self.az.do("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
        self.refusal({}, UNAUTHORIZED, 'cloud lab: ', 'exit code 1', "Please run 'az login'",
                     **self.only)
        self.az.do('')
        for out in 'WARNING', '{}', '{"accessToken": "x"}', '':
            self.az.say(out)
            call = self.tokens({}, **self.only)[0]
            self.assertIn(call['code'], (UNAUTHORIZED, UNAVAILABLE))
            self.assertIn('az account get-access-token', call['detail'])

    def test_not_installed(self):
        self.refusal({}, UNAUTHORIZED, 'there are no credentials: `az account get-access-token` '
                     'cannot be run: az: No such file or directory', with_az=False, **self.only)

    def test_hangs(self):
        self.az.do('sleep 30')
        self.refusal({}, 'DeadlineExceeded', 'cloud lab: ', 'did not end', timeout_ms=500, **self.only)

    def test_no_token_is_told(self):
        self.az.do("echo 'abcDEF0123456789abcdefXYZ.abcDEF0123456789abcdefXYZ' >&2; exit 1")
        call = self.refusal({}, UNAUTHORIZED, **self.only)
        self.assertNotIn('DEF0123456789', call['detail'])


class Chain(Home):
    nobody = {'AZURE_POD_IDENTITY_AUTHORITY_HOST': 'http://127.0.0.1:9'}

    def test_order(self):
        token = self.write('token', 'given')
        app = {APP_SERVICE: self.url + '/msi', 'IDENTITY_HEADER': 'h'}
        federated = dict(PRINCIPAL, AZURE_FEDERATED_TOKEN_FILE=token)
        for env, source in [
                (dict(federated, **app), 'AZURE_CLIENT_SECRET'),
                (dict(federated, AZURE_CLIENT_SECRET='', **app), 'AZURE_FEDERATED_TOKEN_FILE'),
                (app, 'the managed identity'), ({}, 'the managed identity'), (self.nobody, 'az')]:
            self.assertIn(source, self.token(env)['source'])

    def test_what_is_there_and_refused_is_the_end(self):
        self.services.say = [(401, entra_error(7000215))]
        self.refusal(PRINCIPAL, UNAUTHORIZED, 'AADSTS7000215')
        self.assertEqual(len(self.services.asked), 1)
        self.assertEqual(self.az.calls(), [])

    def test_no_identity_is_not_the_end(self):
        self.services.say = [(400, '{"error_description": "Identity not found"}')]
        self.assertEqual(self.token({})['source'], 'az')

    def test_another_clouds_metadata(self):
        for status in 404, 401, 403, 405:       # AWS answers 401 where it wants a token first
            with self.subTest(status):
                self.services.reset()
                self.services.say = [(status, '<html>no such path</html>')]
                self.assertEqual(self.token({})['source'], 'az')
                self.assertEqual(len(self.services.asked), 1)
        self.services.say = [(403, '{"error": "forbidden", "error_description": "not for you"}')]
        self.refusal({}, UNAUTHORIZED, 'not for you')

    def test_no_proxy(self):
        """What is near is not asked for through a proxy: that would be another machine's."""
        got = self.token({'AZURE_POD_IDENTITY_AUTHORITY_HOST': 'http://192.0.2.1',
                          'http_proxy': self.url})
        self.assertEqual((got['source'], self.services.asked), ('az', []))

    def test_nothing_anywhere(self):
        got = self.refusal(self.nobody, UNAUTHORIZED, 'cloud lab: there are no credentials: ',
                           'AZURE_CLIENT_SECRET', 'AZURE_FEDERATED_TOKEN_FILE is not set',
                           'instance metadata is not there', 'cannot be run', with_az=False)
        self.assertEqual(got['detail'].count('cloud lab'), 1)

    def test_production_does_not_run_az(self):
        self.refusal(dict(self.nobody, AZURE_TOKEN_CREDENTIALS='prod'), UNAUTHORIZED,
                     'instance metadata is not there')
        self.assertEqual(self.az.calls(), [])

    def test_what_was_found_is_kept(self):
        """The next token is from the same place, without a look at the others."""
        self.services.say = [(400, '{}')]
        calls = self.tokens({}, steps='gr')
        self.assertEqual([c['source'] for c in calls], ['az', 'az'])
        self.assertEqual(len(self.services.asked), 1)

    def test_what_is_gone_is_looked_for_again(self):
        self.az.do('[ $(grep -c account calls) = 2 ] && exit 1')
        self.services.say = [(400, '{}')]
        calls = self.tokens({}, steps='grr')
        self.assertEqual([c['code'] for c in calls], ['OK', UNAUTHORIZED, 'OK'])
        self.assertEqual(calls[2]['source'], 'the managed identity')


if __name__ == '__main__':
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
