"""The run folder: the contract between training, evaluation, the commands and the app. No torch here."""
