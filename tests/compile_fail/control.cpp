// Cases with which the check of this directory is checked: it must complain about the first two.

template <int I>
void expect_five()
{
    static_assert(I == 5, "it is not five");
}

#ifdef REFUSED
// Refused: it is not
void compiles_after_all()
{
    expect_five<5>();
}

// Refused: it is not seven
void another_sentence()
{
    expect_five<6>();
}

// Refused: it is not five
void as_expected()
{
    expect_five<7>();
}
#endif
