"""Asks an S3 store with boto3. `setup PORT`: a user who may use S3, its bucket `bills`; prints key and secret.
`list PORT KEY SECRET`: each object with the SHA-256 of its bytes, as JSON."""
import hashlib, json, sys
import boto3

action, port, *keys = sys.argv[1:]


def client(service, key="x", secret="x"):
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret)


if action == "setup":
    iam = client("iam")
    iam.create_user(UserName="greenbar")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="greenbar", PolicyName="s3", PolicyDocument=json.dumps(allow))
    made = iam.create_access_key(UserName="greenbar")["AccessKey"]
    client("s3", made["AccessKeyId"], made["SecretAccessKey"]).create_bucket(Bucket="bills")
    print(made["AccessKeyId"], made["SecretAccessKey"])
else:
    s3, found = client("s3", *keys), {}
    for row in s3.list_objects_v2(Bucket="bills").get("Contents", []):
        body = s3.get_object(Bucket="bills", Key=row["Key"])["Body"].read()
        found[row["Key"]] = {"sha256": hashlib.sha256(body).hexdigest(), "text": body.decode()}
    print(json.dumps(found))
