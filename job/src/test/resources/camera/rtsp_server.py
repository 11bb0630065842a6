# SPDX-License-Identifier: Apache-2.0
"""An RTSP camera on 127.0.0.1 that plays a clip: rtsp_server.py PORT CLIP [USER PASSWORD].

/cam is the clip's video, /sound is a tone without video. Says "ready" on stdout when it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

port, clip = sys.argv[1:3]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)


def mount(path, launch):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch)
    factory.set_shared(True)
    if len(sys.argv) > 4:
        permissions = GstRtspServer.RTSPPermissions()
        role = Gst.Structure.new_from_string(
            "viewer, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"
        )
        permissions.add_role_from_structure(role)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory(path, factory)


if len(sys.argv) > 4:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(sys.argv[3], sys.argv[4]), token)
    server.set_auth(auth)

mount("/cam", f'( filesrc location="{clip}" ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 )')
mount("/sound", "( audiotestsrc is-live=true ! mulawenc ! rtppcmupay name=pay0 pt=0 )")
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
