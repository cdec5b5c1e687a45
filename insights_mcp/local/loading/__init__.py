"""From event files to the event store: find and read the files, stage and judge the rows, merge what is new."""
