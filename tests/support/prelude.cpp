// What is precompiled for all tests, in cmake/windhover_tests.cmake, is precompiled for this program.
int main() {}
