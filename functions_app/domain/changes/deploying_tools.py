"""The line that another tool's own code has for a function's image: its next run brings back what stands there.

Sources: the references of Terraform's aws_lambda_function (image_uri), CloudFormation's AWS::Lambda::Function Code,
SAM's AWS::Serverless::Function (ImageUri), the CDK's DockerImageCode.fromEcr, the Serverless Framework (functions,
image), Pulumi's and CDKTF's LambdaFunction (imageUri), Crossplane's Function (forProvider.imageUri), Ansible's
amazon.aws.lambda (image_uri), lambroll's function.json, zappa's deploy and update.
"""

from dataclasses import dataclass

_HCL = ("resource aws_lambda_function", 'image_uri = "{image}"')
# By the names of domain.fleet.tags.TOOLS: where the line stands, and how it reads. Others deploy no images, or no one
# line of theirs is known here.
_LINES = {
    **dict.fromkeys(("terraform", "opentofu", "spacelift", "atlantis"), _HCL),
    "terragrunt": ("the inputs of the module, or its resource aws_lambda_function", 'image_uri = "{image}"'),
    "cdktf": ("LambdaFunction", 'imageUri: "{image}",'),
    "pulumi": ("aws.lambda.Function", 'imageUri: "{image}",'),
    "cloudformation": ("the template: Code of AWS::Lambda::Function, Properties of AWS::Serverless::Function",
                       "ImageUri: {image}"),
    "cdk": ("DockerImageFunction", 'code: DockerImageCode.fromEcr(repository, {{ tagOrDigest: "{digest}" }}),'),
    "serverless": ("serverless.yml, under functions", "image: {image}"),
    "crossplane": ("Function, under spec.forProvider", "imageUri: {image}"),
    "ansible": ("the task of amazon.aws.lambda", "image_uri: {image}"),
    "lambroll": ("function.json", '"Code": {{ "ImageUri": "{image}" }},'),
    "zappa": ("the command that deploys", "zappa update --docker-image-uri {image}"),
}  # fmt: skip


@dataclass(frozen=True)
class ToolsLine:
    """What to change in the code of the tool that manages a function; no `line`: it is not known here."""

    tool: str
    where: str = ""
    line: str = ""


def tools_line(tool: str, image_uri: str) -> ToolsLine | None:
    """The line for this image (HOST/NAME@DIGEST); None where no tool is known to manage the function."""
    if not tool:
        return None
    where, line = _LINES.get(tool, ("", ""))
    return ToolsLine(tool, where, line.format(image=image_uri, digest=image_uri.partition("@")[2]))
