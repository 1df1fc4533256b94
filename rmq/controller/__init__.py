"""The Controller: who is master of which broker group, agreed on by Raft."""
