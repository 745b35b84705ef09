-- What came of TLS in direct deliveries: a row for each day (days since 1970, UTC), domain of recipients and policy.
-- `strings` and `mx_hosts` are JSON lists.
CREATE TABLE tls_policy (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day INTEGER NOT NULL,
    domain TEXT NOT NULL,
    type TEXT NOT NULL,
    policy_domain TEXT NOT NULL,
    strings TEXT NOT NULL,
    mx_hosts TEXT NOT NULL,
    successes INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    UNIQUE (day, domain, type, policy_domain, strings, mx_hosts)
);

-- The failures among them that have everything in common. `info` is that of the last one.
CREATE TABLE tls_failure (
    policy INTEGER NOT NULL,
    result TEXT NOT NULL,
    sending_ip TEXT NOT NULL,
    receiving_host TEXT NOT NULL,
    receiving_ip TEXT NOT NULL,
    receiving_helo TEXT NOT NULL,
    reason TEXT NOT NULL,
    info TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (policy, result, sending_ip, receiving_host, receiving_ip, receiving_helo, reason)
) WITHOUT ROWID;

-- The report of one day to one domain: where it goes and how far it is. Without `destination` it is not known yet
-- whether and where the domain wants it.
CREATE TABLE tls_report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    day INTEGER NOT NULL,
    domain TEXT NOT NULL,
    destination TEXT NOT NULL,
    state TEXT NOT NULL,
    trace TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    answer TEXT NOT NULL,
    UNIQUE (day, domain, destination)
);
CREATE INDEX tls_report_due ON tls_report (state, next_attempt_at);
CREATE INDEX tls_report_trace ON tls_report (trace) WHERE trace <> '';
