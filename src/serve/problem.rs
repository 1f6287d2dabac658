//! What went wrong, as RFC 9457 problem JSON for programs; `web` shows the same as a page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::backend::BackendError;
use crate::audit::AuditError;
use crate::auth::AuthError;
use crate::auth::gate::Denied;
use crate::auth::permission::Permission;
use crate::search::QueryError;

/// A failed request. Codes are stable; programs may rely on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable word.
    pub code: &'static str,
    /// What it is, always the same for a code.
    pub title: &'static str,
    /// What it is this time.
    pub detail: String,
    /// Seconds to wait before the next try.
    pub retry_after_s: Option<i64>,
    /// What is wrong with a query, and where.
    pub query: Option<Box<QueryError>>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $code:literal, $title:literal;)+) => {
        impl Problem {
            $($(#[$doc])* pub fn $name(detail: impl Into<String>) -> Problem {
                let (status, detail) = (StatusCode::$status, detail.into());
                Problem { status, code: $code, title: $title, detail, retry_after_s: None, query: None }
            })+
        }
        /// Every code with its status and title.
        pub const CODES: &[(&str, StatusCode, &str)] = &[$(($code, StatusCode::$status, $title)),+];
    };
}

problems! {
    /// A parameter is wrong; the detail says what is allowed.
    bad_parameter = BAD_REQUEST, "bad-parameter", "A parameter is not allowed";
    /// The query is wrong.
    bad_query = BAD_REQUEST, "bad-query", "The query cannot be understood";
    /// The body is wrong.
    bad_body = BAD_REQUEST, "bad-body", "The body cannot be used";
    /// Nobody signed in, or the key is wrong.
    unauthorized = UNAUTHORIZED, "unauthorized", "Sign in first";
    /// Name or password is wrong; which, is not said.
    bad_credentials = UNAUTHORIZED, "bad-credentials", "Name or password is wrong";
    /// The password is right; a code of the second factor is wanted too.
    second_factor = UNAUTHORIZED, "second-factor", "Send the code of your authenticator app too";
    /// Not for this role.
    forbidden = FORBIDDEN, "forbidden", "This is not for your role";
    /// The captured bytes hold values that are masked for this role.
    masked = FORBIDDEN, "masked", "The captured bytes hold values that are masked for you";
    /// A state-changing request without its token, or from another site.
    csrf = FORBIDDEN, "csrf", "The request does not come from a page of this server";
    /// Not there, or not for the caller.
    not_found = NOT_FOUND, "not-found", "There is no such thing";
    /// The path knows other methods.
    method = METHOD_NOT_ALLOWED, "method-not-allowed", "The path does not know this method";
    /// The load is not done yet, or failed.
    not_ready = CONFLICT, "not-ready", "The load is not done";
    /// A value in the body is not allowed; the detail names it.
    bad_value = UNPROCESSABLE_ENTITY, "bad-value", "A value is not allowed";
    /// Something that must be unique is there already.
    exists = CONFLICT, "exists", "It is there already";
    /// Not possible in the state that the thing is in.
    state = CONFLICT, "state", "This is not possible now";
    /// Somebody changed the row since it was read.
    changed = PRECONDITION_FAILED, "changed", "It was changed meanwhile";
    /// A link that is over, used up, or never was.
    gone = GONE, "gone", "The link leads nowhere";
    /// The document left the archive; told to those who reach every document, others hear that there is nothing.
    disposed = GONE, "disposed", "The document left the archive";
    /// A customer's own document left the archive.
    no_longer_kept = GONE, "no-longer-kept", "The document is no longer kept";
    /// The facts at enrolment do not fit an account.
    not_confirmed = FORBIDDEN, "not-confirmed", "The account could not be confirmed";
    /// The body is larger than the server takes.
    too_large = PAYLOAD_TOO_LARGE, "too-large", "The body is too large";
    /// The query string is too long.
    too_long = URI_TOO_LONG, "too-long", "The address is too long";
    /// The header is too large.
    header = REQUEST_HEADER_FIELDS_TOO_LARGE, "header-too-large", "The header is too large";
    /// No byte of the range exists.
    range = RANGE_NOT_SATISFIABLE, "range", "The range lies outside the content";
    /// Too many attempts.
    too_many = TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts; wait a little";
    /// The server failed; the log tells more.
    internal = INTERNAL_SERVER_ERROR, "internal", "The server failed";
    /// The server has too much to do or stops.
    busy = SERVICE_UNAVAILABLE, "busy", "The server is busy";
    /// The disk is full.
    full = INSUFFICIENT_STORAGE, "disk-full", "The disk is full";
}

impl Problem {
    /// The one answer for a document or load that is not there or not for the caller.
    pub fn nothing() -> Problem {
        Problem::not_found("There is nothing here, or it is not for you.")
    }

    /// The caller lacks a permission.
    pub fn missing(permission: Permission) -> Problem {
        Problem::forbidden(format!("Your role does not include {permission}."))
    }

    /// Something failed that the caller cannot mend: the log has the reason, the answer does not.
    pub fn failed(doing: &str, error: &dyn std::fmt::Display) -> Problem {
        tracing::error!(doing, %error, "a request failed");
        let text = error.to_string();
        // The store, files and the audit say it in these words, whatever was being done.
        if text.contains("the disk is full") || text.contains("No space left") {
            return Problem::full(
                "Nothing can be written until there is room again on the server's disk. Nothing is lost.",
            );
        }
        Problem::internal("The request could not be answered; the server's log tells why.")
    }

    /// As problem JSON.
    pub fn response(&self) -> HttpResponse {
        let mut told = serde_json::json!({
            "type": format!("urn:greenbar:problem:{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(error) = &self.query {
            // In characters of the query, from 1.
            told["at"] = error.at.into();
            told["advice"] = error.advice.as_str().into();
        }
        let mut response = HttpResponse::build(self.status)
            .content_type("application/problem+json")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(told.to_string());
        if self.status == StatusCode::UNAUTHORIZED {
            let schemes = HeaderValue::from_static("Bearer realm=\"greenbar\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, schemes);
        }
        if let Some(value) = self.retry_after_s.and_then(|s| HeaderValue::from_str(&s.to_string()).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

impl From<BackendError> for Problem {
    fn from(error: BackendError) -> Problem {
        match error {
            BackendError::BadQuery(error) => {
                Problem { query: Some(Box::new(error.clone())), ..Problem::bad_query(error.to_string()) }
            }
            BackendError::BadCursor => Problem::bad_parameter(error.to_string()),
            BackendError::Masked => Problem::masked("Other renditions show the document with these values masked."),
            BackendError::NoPage { .. } => Problem::bad_parameter(error.to_string()),
            other => Problem::failed("asking the archive", &other),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Problem {
        Problem::failed("reading users", &error)
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Problem {
        Problem::failed("writing the audit", &error)
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Problem {
        match denied {
            Denied::NotYours => Problem::nothing(),
            Denied::Missing(permission) => Problem::missing(permission),
            Denied::Audit(error) => error.into(),
        }
    }
}
