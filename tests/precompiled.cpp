// With this file, which holds nothing, the headers that the tests have in common are precompiled:
// test_main.cpp cannot do it, since what it defines goes before its includes.
