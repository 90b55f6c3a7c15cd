"""What goes out: the incidents of a list at a cut, in the forms that others read. docs/exports.md describes each."""
