//! The manual of the actions.

pub const ACTIONS: &str = "\
Actions:
  WAIT SECONDS             stay silent
  PLAY SOUND               play a sound below the folders of the setting sounds_dirs, such as
                           hello-world, or an absolute path
  SAY FORM TEXT            say a text in Asterisk's own voice. FORM is digits, number, characters
                           or date (YYYY-MM-DD, or YYYY-MM-DD HH:MM). TEXT is a text, or {NAME}, a
                           variable of the contact: for a contact without it the step fails and
                           the rest goes on
  MENU SOUND keys=KEY:TARGET,… [timeout=5] [repeats=2] [wrong=SOUND] [else=next]
                           play a sound, which a key cuts short, and go on as the keys say.
                           timeout: seconds until the first key, and between keys; repeats: how
                           often it is heard again when nothing, or something wrong, was pressed;
                           else: where it goes on after those
  AMD [human=next] [machine=hangup] [unsure=as human]
                           listen who answered, by Asterisk's amd.conf. Not sure, no sound at all
                           and a failure of AMD count as unsure
  LISTEN [timeout=10]      wait until something is heard of the callee; the report says after how
                           many milliseconds. First in a list: from the answer to the first audio
  OPT-OUT [LIST]           the callee wants no further call; LIST is a do-not-call list
  SET NAME TEXT            give the call a variable: {NAME} in later steps, CAMPANILE_VAR_NAME in
                           the dialplan
  HANGUP                   end the call
  RECORD [seconds=60] [silence=SECONDS] [stop=#] [beep=yes]
                           record what the callee says, into monitor/ below Asterisk's spool; the
                           report names the file. It ends after so many seconds, so much silence,
                           or by a key of stop (any, none). Admin only
  For an admin only, because they reach the PBX, and the last of their lists, because nothing
  comes back from them:
  IVR CONTEXT,EXTENSION,PRIORITY      go on in the dialplan
  TRANSFER CONTEXT,EXTENSION          the same at priority 1
  DIAL CONTEXT,EXTENSION [ring=30]    connect the callee with an extension
  QUEUE NAME [wait=SECONDS]           with whoever serves the queue
  CONFERENCE ROOM                     with a conference (ConfBridge)

A TARGET is a list of the campaign, or: next, behind this action; hangup; again, hear the menu again (it counts as \
a repeat). At the end of a list the call goes on behind the action that led there. Lists may not lead in circles.

Only a MENU is cut short by a key. The keys are in the report, and in the dialplan as CAMPANILE_DIGITS; those \
pressed during AMD and RECORD are lost.

Calls that are planned already keep the lists that they were planned with.

Examples:
  campanile actions add spring PLAY hello-world
  campanile actions add spring WAIT 2 --at 1
  campanile actions add spring SAY number {debt}
  campanile actions move spring 3 1
  A menu; its lists are made first:
  campanile actions add spring:sales DIAL agents,100
  campanile actions add spring:no-more OPT-OUT
  campanile actions add spring:no-more PLAY goodbye
  campanile actions add spring MENU press-1-or-2 keys=1:sales,2:no-more,9:again else=hangup
  Connect each callee who is no machine:
  campanile actions add spring AMD
  campanile actions add spring QUEUE support

JSON: {campaign, actions: [{place, action, kind, …}], lists: {NAME: [{place, action, kind, …}]}, unreached: [NAME]}, \
the lists as they are then.";

pub const JSON: &str = "\
JSON: {campaign, actions: [{place, action, kind, …}], lists: {NAME: [{place, action, kind, …}]}, unreached: [NAME]}; \
with :LIST, actions is that list.";
