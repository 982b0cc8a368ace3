"""``fer-edge deploy``: install and start fer-edge on Raspberry Pis over ssh, so that a failure leaves the old version.

What happens on a target is written as shell scripts (``scripts/``), each with a check ("already so?") and an action.
The workstation's part sends them, and the files, over the user's own ssh (`connection`), to several machines at once
(`fleet`), or writes them out as an Ansible playbook (`playbook`).
"""
