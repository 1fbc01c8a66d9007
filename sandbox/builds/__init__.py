"""CodeBuild, and the docker of its builds."""
