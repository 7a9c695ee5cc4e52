"""The older interface of merchants' programs: XML, signed with the APIv2 key."""
