"""What a text leads to, whatever it names: functions, images, repositories, runs, bases, accounts, owners."""
