"""Images built in memory: layers, configs, package databases, Lambda's bases."""
