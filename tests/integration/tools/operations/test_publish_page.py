"""publish-page: the folder's files, as the stack's bucket then has them (S3 and CloudFront by moto)."""

from __future__ import annotations

import json

import boto3
import pytest

from tools.operations import page_password, publish_page

STACK, BUCKET = "aircraft-stream-dev", "the-page"


@pytest.fixture
def bucket(aws):  # noqa: ARG001 - it sends boto3 to moto
    """The page's bucket."""
    boto3.client("s3").create_bucket(Bucket=BUCKET)


@pytest.fixture
def distribution(bucket):  # noqa: ARG001 - it has to be there
    """The distribution's id."""
    origin = {"Id": "page", "DomainName": f"{BUCKET}.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    made = boto3.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "x",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "page", "ViewerProtocolPolicy": "https-only"},
        }
    )
    return made["Distribution"]["Id"]


@pytest.fixture
def stack(distribution):
    """A stack with the outputs of a page."""
    outputs = {
        "PageBucketName": BUCKET,
        "PageDistributionId": distribution,
        "PageAddress": "https://d1.cloudfront.net/",
    }
    make_stack({name: {"Value": value} for name, value in outputs.items()})


def make_stack(outputs):
    """Create a stack with these outputs."""
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs}
    boto3.client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(body))


@pytest.fixture
def folder(tmp_path):
    """A small page."""
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "js" / "main.js").write_text("export {};")
    (tmp_path / "notes.docx").write_text("no file of a page")
    return tmp_path


def publish(folder):
    """Run the command."""
    return publish_page.main([STACK, "--folder", str(folder)])


def keys():
    """What the bucket holds."""
    return {one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])}


@pytest.mark.usefixtures("stack")
def test_the_bucket_has_the_page(folder, capsys):
    """Every file with its type and how long it may be kept; what the local run does not serve is left out."""
    assert publish(folder) == 0
    assert keys() == {"index.html", "js/main.js"}
    file = boto3.client("s3").head_object(Bucket=BUCKET, Key="js/main.js")
    assert (file["ContentType"], file["CacheControl"]) == (
        "text/javascript; charset=utf-8",
        publish_page.CACHE_CONTROL,
    )
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "written: js/main.js",
        "written: index.html",
        "2 files, 2 of them written. https://d1.cloudfront.net/",
    ]


@pytest.mark.usefixtures("stack")
def test_only_what_differs_is_written_and_what_is_gone_is_removed(folder, capsys):
    """The second time."""
    publish(folder)
    capsys.readouterr()
    (folder / "index.html").write_text("<!doctype html><title>Aircraft</title>")
    (folder / "style.css").write_text("body {}")
    (folder / "js" / "main.js").rename(folder / "js" / "page.js")
    assert publish(folder) == 0
    assert capsys.readouterr().out.splitlines()[:-1] == [
        "written: js/page.js",
        "written: style.css",
        "written: index.html",
        "removed: js/main.js",
    ]
    assert keys() == {"index.html", "js/page.js", "style.css"}
    assert publish(folder) == 0
    assert capsys.readouterr().out == "3 files, 0 of them written. https://d1.cloudfront.net/\n"


@pytest.mark.usefixtures("stack")
def test_under_a_key_of_kms_an_unchanged_file_is_known_all_the_same(folder, capsys, monkeypatch):
    """S3's tag is then not the content's digest."""
    publish(folder)
    make_client = boto3.Session.client

    def client(session, service, *arguments, **options):
        made = make_client(session, service, *arguments, **options)
        if service == "s3":
            made.meta.events.register("after-call.s3.ListObjectsV2", other_tags)
        return made

    monkeypatch.setattr(boto3.Session, "client", client)
    (folder / "js" / "main.js").write_text("export { changed };")
    capsys.readouterr()
    assert publish(folder) == 0
    assert capsys.readouterr().out.splitlines()[:-1] == ["written: js/main.js"]


def other_tags(parsed, **_):
    """The tags of objects under a key of KMS."""
    for number, listed in enumerate(parsed["Contents"]):
        listed["ETag"] = f'"{number:032x}"'


@pytest.mark.usefixtures("stack")
def test_cloudfront_forgets_its_copies_each_time(distribution, folder):
    """Even if nothing was written: an earlier call may have ended before it."""
    publish(folder)
    publish(folder)
    cloudfront = boto3.client("cloudfront")
    listed = cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"]["Items"]
    assert len(listed) == 2
    one = cloudfront.get_invalidation(DistributionId=distribution, Id=listed[0]["Id"])["Invalidation"]
    assert one["InvalidationBatch"]["Paths"]["Items"] == ["/*"]


@pytest.mark.usefixtures("aws")
def test_a_stack_that_is_not_there(folder, capsys):
    """Said in a sentence."""
    assert publish(folder) == 1
    assert capsys.readouterr().err.startswith(f"publish-page: stack {STACK}: not found in us-east-1. Check the name")


@pytest.mark.usefixtures("aws")
def test_a_stack_without_a_page(folder, capsys):
    """The sentence names the parameter."""
    make_stack({"Other": {"Value": "x"}})
    assert publish(folder) == 1
    assert "expected a stack with PageAccess=password" in capsys.readouterr().err


@pytest.mark.usefixtures("stack")
def test_a_folder_that_is_no_page(tmp_path, capsys):
    """Nothing is removed for it."""
    boto3.client("s3").put_object(Bucket=BUCKET, Key="index.html", Body=b"there")
    assert publish(tmp_path / "absent") == 1
    assert "has no index.html" in capsys.readouterr().err
    assert keys() == {"index.html"}


@pytest.mark.usefixtures("stack")
def test_what_aws_answers_is_said(folder, capsys):
    """The bucket is gone: no permission helps, and none is named."""
    boto3.client("s3").delete_bucket(Bucket=BUCKET)
    assert publish(folder) == 1
    said = capsys.readouterr().err
    assert "NoSuchBucket" in said
    assert "The caller needs" not in said


def test_a_password_is_made_with_its_hash(capsys):
    """Another each time, and the line that samconfig.toml takes."""
    assert page_password.main([]) == 0
    said = capsys.readouterr().out
    password = said.splitlines()[1].strip()
    assert f'PagePasswordHash = "{page_password.hashed(password)}"' in said
    assert len({page_password.new_password() for _ in range(100)}) == 100
    assert len(set(password) - {"-"} - set(page_password.ALPHABET)) == 0


def test_the_folder_holds_nothing_but_the_page():
    """Whatever is in web/ is served and published: no settings of tools, nothing that no browser asks for."""
    kinds = {name.split("/")[0] for name in publish_page.read_files(publish_page.FOLDER)}
    assert kinds == {"index.html", "style.css", "icon.svg", "js", "data"}
