-- Who and what the audit can be narrowed by.
SELECT arraySort(groupUniqArray(1000)(who)) AS people, arraySort(groupUniqArray(1000)(toString(action))) AS actions
FROM audit
