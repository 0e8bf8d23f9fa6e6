#ifdef STRATA_EMPTY_MAIN
int main() {}
#endif
