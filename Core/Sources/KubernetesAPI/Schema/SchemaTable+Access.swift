extension SchemaTable {
    /// The types of group `rbac.authorization.k8s.io`.
    static let rbac = """
        AggregationRule: clusterRoleSelectors [meta.LabelSelector] #1
        ClusterRole: aggregationRule AggregationRule #3, apiVersion string, kind string, metadata meta.ObjectMeta
            #1, rules [PolicyRule] #2
        ClusterRoleBinding: apiVersion string, kind string, metadata meta.ObjectMeta #1, roleRef! RoleRef #3,
            subjects [Subject] #2
        PolicyRule: apiGroups [string] #2, nonResourceURLs [string] #5, resourceNames [string] #4, resources
            [string] #3, verbs! [string] #1
        Role: apiVersion string, kind string, metadata meta.ObjectMeta #1, rules [PolicyRule] #2
        RoleBinding: apiVersion string, kind string, metadata meta.ObjectMeta #1, roleRef! RoleRef #3, subjects
            [Subject] #2
        RoleRef: apiGroup! string #1, kind! string #2, name! string #3
        Subject: apiGroup string #2, kind! string #1, name! string #3, namespace string #4
        """

    /// The types of group `authentication.k8s.io`.
    static let authentication = """
        BoundObjectReference: apiVersion string #2, kind string #1, name string #3, uid string #4
        SelfSubjectReview: apiVersion string, kind string, metadata meta.ObjectMeta #1, status
            SelfSubjectReviewStatus #2
        SelfSubjectReviewStatus: userInfo UserInfo #1
        TokenRequest: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec! TokenRequestSpec #2, status
            TokenRequestStatus #3
        TokenRequestSpec: audiences! [string] #1, boundObjectRef BoundObjectReference #3, expirationSeconds int64?
            #4
        TokenRequestStatus: expirationTimestamp! time #2, token! string #1
        TokenReview: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec! TokenReviewSpec #2, status
            TokenReviewStatus #3
        TokenReviewSpec: audiences [string] #2, token string #1
        TokenReviewStatus: audiences [string] #4, authenticated bool #1, error string #3, user UserInfo #2
        UserInfo: extra {[string]} #4, groups [string] #3, uid string #2, username string #1
        """

    /// The types of group `authorization.k8s.io`.
    static let authorization = """
        FieldSelectorAttributes: rawSelector string #1, requirements [meta.FieldSelectorRequirement] #2
        LabelSelectorAttributes: rawSelector string #1, requirements [meta.LabelSelectorRequirement] #2
        LocalSubjectAccessReview: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec!
            SubjectAccessReviewSpec #2, status SubjectAccessReviewStatus #3
        NonResourceAttributes: path string #1, verb string #2
        NonResourceRule: nonResourceURLs [string] #2, verbs! [string] #1
        ResourceAttributes: fieldSelector FieldSelectorAttributes #8, group string #3, labelSelector
            LabelSelectorAttributes #9, name string #7, namespace string #1, resource string #5, subresource string
            #6, verb string #2, version string #4
        ResourceRule: apiGroups [string] #2, resourceNames [string] #4, resources [string] #3, verbs! [string] #1
        SelfSubjectAccessReview: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec!
            SelfSubjectAccessReviewSpec #2, status SubjectAccessReviewStatus #3
        SelfSubjectAccessReviewSpec: nonResourceAttributes NonResourceAttributes #2, resourceAttributes
            ResourceAttributes #1
        SelfSubjectRulesReview: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec!
            SelfSubjectRulesReviewSpec #2, status SubjectRulesReviewStatus #3
        SelfSubjectRulesReviewSpec: namespace string #1
        SubjectAccessReview: apiVersion string, kind string, metadata meta.ObjectMeta #1, spec!
            SubjectAccessReviewSpec #2, status SubjectAccessReviewStatus #3
        SubjectAccessReviewSpec: extra {[string]} #5, groups [string] #4, nonResourceAttributes
            NonResourceAttributes #2, resourceAttributes ResourceAttributes #1, uid string #6, user string #3
        SubjectAccessReviewStatus: allowed! bool #1, denied bool #4, evaluationError string #3, reason string #2
        SubjectRulesReviewStatus: evaluationError string #4, incomplete! bool #3, nonResourceRules!
            [NonResourceRule] #2, resourceRules! [ResourceRule] #1
        """
}
