// The layout of pointers, tracked values and versions is for ever: tests/golden/archive.
#include "archive_golden.hpp"
#include "archive_golden_types.hpp"

using namespace archive_golden;

namespace {

using byte_ptr = std::shared_ptr<std::uint8_t>;
using shapes = std::vector<std::shared_ptr<shape>>;

std::shared_ptr<circle> make_circle(std::int32_t id, double radius)
{
    auto made = std::make_shared<circle>();
    made->id = id;
    made->radius = radius;
    return made;
}

template <class Pointer = std::shared_ptr<square>>
Pointer make_square(std::int32_t id, std::uint8_t side)
{
    Pointer made(new square);
    made->id = id;
    made->side = side;
    return made;
}

std::shared_ptr<chain_link> make_link(std::uint8_t v, std::shared_ptr<chain_link> next = nullptr)
{
    return std::make_shared<chain_link>(chain_link{v, std::move(next)});
}

bool is_square(const shape* s, std::int32_t id, std::uint8_t side)
{
    const auto* found = dynamic_cast<const square*>(s);
    return found != nullptr && found->id == id && found->side == side;
}

bool is_circle(const shape* s, std::int32_t id, double radius)
{
    const auto* found = dynamic_cast<const circle*>(s);
    return found != nullptr && found->id == id && found->radius == radius;
}

template <class... Members>
parts<Members...> make_parts(Members... members)
{
    return {{std::move(members)...}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_golden_objects)

void check_shared(rows& golden)
{
    golden.check("shared_ptr, null", std::shared_ptr<std::int32_t>());
    golden.check("shared_ptr to an int", std::make_shared<std::int32_t>(42),
                 [](const auto& p) { return *p == 42; });
    golden.check("shared_ptr to a class", std::make_shared<record>(record{1, "m"}),
                 [](const auto& p) { return p->a == 1 && p->b == "m"; });
    golden.check("shared_ptr to a class without members", std::make_shared<parts<>>(),
                 [](const auto& p) { return p != nullptr; });
    const auto hi = std::make_shared<std::string>("hi");
    golden.check("one string, shared", std::vector{hi, hi, hi}, [](const auto& all) {
        return all.size() == 3 && *all[0] == "hi" && all[1] == all[0] && all[2] == all[0];
    });
    const auto five = std::make_shared<std::uint8_t>(std::uint8_t{5});
    golden.check("shared_ptr in optional, map and variant",
                 make_parts(std::optional(five), std::map<std::string, byte_ptr>{{"a", five}},
                            std::variant<std::uint8_t, byte_ptr>(five)),
                 [](const auto& p) {
                     const auto& [maybe, named, choice] = p.all;
                     return **maybe == 5 && named.at("a") == *maybe &&
                            std::get<1>(choice) == *maybe;
                 });
    golden.check("list of shared_ptr", make_link(1, make_link(2)),
                 [](const auto& p) { return p->v == 1 && p->next->v == 2 && !p->next->next; });
    const auto tail = make_link(3);
    golden.check("diamond", std::vector{make_link(1, tail), make_link(2, tail), tail},
                 [](const auto& p) {
                     return p[0]->v == 1 && p[1]->v == 2 && p[2]->v == 3 && p[0]->next == p[2] &&
                            p[1]->next == p[2];
                 });
    std::vector<byte_ptr> many;
    for (std::uint8_t i = 0; i < 127; ++i)
        many.push_back(std::make_shared<std::uint8_t>(i));
    many.push_back(many.back());
    golden.check("reference of two bytes", many, [](const auto& all) {
        return all.size() == 128 && all[127] == all[126] && *all[126] == 126;
    });
}

void check_polymorphic(rows& golden)
{
    const auto first = make_circle(1, 1.5);
    golden.check("shared_ptr to a base",
                 shapes{first, make_square(2, 9), first, nullptr, make_circle(3, 2.0)},
                 [](const shapes& s) {
                     return s.size() == 5 && is_circle(s[0].get(), 1, 1.5) &&
                            is_square(s[1].get(), 2, 9) && s[2] == s[0] && !s[3] &&
                            is_circle(s[4].get(), 3, 2.0);
                 });
    const auto both = make_square(2, 9);
    golden.check("pointers of two static types",
                 make_parts<std::shared_ptr<square>, std::shared_ptr<shape>>(both, both),
                 [](const auto& p) {
                     return is_square(get<0>(p.all).get(), 2, 9) && get<1>(p.all) == get<0>(p.all);
                 });
    golden.check("base first",
                 make_parts<std::shared_ptr<shape>, std::shared_ptr<square>>(both, both),
                 [](const auto& p) {
                     return is_square(get<0>(p.all).get(), 2, 9) && get<1>(p.all) == get<0>(p.all);
                 });
    auto nine = std::make_shared<keyless>(), eight = std::make_shared<keyless>();
    nine->a = 9;
    eight->a = 8;
    golden.check("polymorphic without a key", std::vector{nine, eight},
                 [](const auto& p) { return p[0]->a == 9 && p[1]->a == 8; });
    auto ball_made = std::make_shared<ball>();
    ball_made->id = 7;
    ball_made->radius = 258;
    golden.check("abstract base", std::shared_ptr<solid>(ball_made),
                 [](const auto& p) { return p->id == 7 && p->volume() == 4 * 258; });
    auto bottom_made = std::make_shared<bottom>();
    bottom_made->t = 1;
    bottom_made->l = 2;
    bottom_made->r = 3;
    bottom_made->b = 4;
    golden.check("virtual base", std::shared_ptr<top>(bottom_made), [](const auto& p) {
        const auto* back = dynamic_cast<const bottom*>(p.get());
        return back && back->t == 1 && back->l == 2 && back->r == 3 && back->b == 4;
    });
    auto early = std::make_shared<late>(), later = std::make_shared<late>();
    early->id = 5;
    early->hour = 23;
    later->id = 6;
    later->hour = 8;
    golden.check("registered class without a key", late_holder{{early, later}}, [](const auto& h) {
        const auto* back = dynamic_cast<const late*>(h.them.at(1).get());
        return back && back->id == 6 && back->hour == 8;
    });
    golden.check("registered class with a key", square_holder{{both, first}}, [](const auto& h) {
        return is_square(h.them.at(0).get(), 2, 9) && is_circle(h.them.at(1).get(), 1, 1.5);
    });
}

void check_owners(rows& golden)
{
    golden.check("unique_ptr, null", std::unique_ptr<std::string>());
    golden.check("unique_ptr", std::make_unique<std::string>("hi"),
                 [](const auto& p) { return *p == "hi"; });
    std::vector<std::unique_ptr<shape>> squares;
    squares.push_back(make_square<std::unique_ptr<square>>(1, 2));
    squares.push_back(make_square<std::unique_ptr<square>>(3, 4));
    golden.check("unique_ptr to a base", squares, [](const auto& all) {
        return is_square(all[0].get(), 1, 2) && is_square(all[1].get(), 3, 4);
    });
    const auto five = boost::shared_ptr<std::uint8_t>(new std::uint8_t(5));
    golden.check(
        "boost::shared_ptr and weak_ptr", make_parts(five, boost::weak_ptr<std::uint8_t>(five)),
        [](const auto& p) { return *get<0>(p.all) == 5 && get<1>(p.all).lock() == get<0>(p.all); });
    scoped_holder holder;
    holder.p.reset(new std::uint8_t(5));
    golden.check("boost::scoped_ptr", holder, [](const auto& back) { return *back.p == 5; });
    raw_owner raw, none;
    raw.p = new record{1, "m"};
    golden.check("raw pointer, unique", raw,
                 [](const raw_owner& back) { return back.p->a == 1 && back.p->b == "m"; });
    golden.check("raw pointer, null", none, [](const raw_owner& back) { return !back.p; });
    untracked_holder apart;
    apart.a = std::make_unique<once>(once{5});
    apart.b = std::make_unique<once>(once{6});
    apart.c = apart.d = std::make_shared<std::uint8_t>(std::uint8_t{7});
    golden.check("track_never", apart, [](const untracked_holder& back) {
        return back.a->v == 5 && back.b->v == 6 && *back.c == 7 && back.d == back.c;
    });
}

void check_aliased(rows& golden)
{
    rings both;
    ring first{1, nullptr}, second{2, &first};
    first.next = &second;
    both.all = {&first, &second};
    std::vector<std::unique_ptr<ring>> loaded;
    golden.check("raw pointers, aliased", both, [&](const rings& back) {
        for (ring* each : back.all)
            loaded.emplace_back(each);
        const auto &a = loaded.at(0), &b = loaded.at(1);
        return a->v == 1 && b->v == 2 && a->next == b.get() && b->next == a.get();
    });
}

void check_weak(rows& golden)
{
    const auto five = std::make_shared<std::uint8_t>(std::uint8_t{5});
    using watcher = std::weak_ptr<std::uint8_t>;
    golden.check("weak_ptr, gone", watcher(), [](const watcher& w) { return w.expired(); });
    golden.check("weak_ptr behind its owner", make_parts(five, watcher(five)), [](const auto& p) {
        return *get<0>(p.all) == 5 && get<1>(p.all).lock() == get<0>(p.all);
    });
    golden.check("weak_ptr before its owner", make_parts(watcher(five), five), [](const auto& p) {
        return *get<1>(p.all) == 5 && get<0>(p.all).lock() == get<1>(p.all);
    });
    const auto owner = std::make_shared<node>();
    owner->v = 7;
    owner->self = owner;
    golden.check("weak_ptr to itself", make_parts(owner, std::weak_ptr<node>(owner)),
                 [](const auto& p) {
                     const auto& [back, watching] = p.all;
                     return back->v == 7 && back->self.lock() == back && watching.lock() == back;
                 });
    golden.check_load<watcher>("weak_ptr alone", [](const watcher& w) { return w.expired(); });
}

void check_construct_data(rows& golden)
{
    golden.check("construct data behind a pointer", std::make_shared<town>("Ur", 5),
                 [](const auto& p) { return *p == town("Ur", 5); });
    golden.check("construct data of elements", std::vector{town("Ur", 5), town("", 6)});
    golden.check("construct data in optional", std::optional(town("Ur", 5)));
    golden.check("construct data in variant", std::variant<std::uint8_t, town>(town("Ur", 5)));
    golden.check("construct data in a map", std::map<std::uint8_t, town>{{7, town("Ur", 5)}});
    const auto name = std::make_shared<std::string>("hi");
    golden.check("construct data with a pointer",
                 std::vector{std::make_shared<person>(name, std::uint8_t{7}),
                             std::make_shared<person>(name, std::uint8_t{8})},
                 [](const auto& p) {
                     return *p[0]->name == "hi" && p[0]->age == 7 && p[1]->name == p[0]->name &&
                            p[1]->age == 8;
                 });
}

void check_two_values(rows& golden)
{
    const row both = golden.take("two values of one message");
    const auto five = std::make_shared<std::uint8_t>(std::uint8_t{5});
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << five << five;
    store.flush();
    BOOST_TEST(to_hex({out.data(), out.size()}) == both.hex);
    byte_ptr first, second;
    wharf::load_archive load({out.data(), out.size()});
    load >> first >> second;
    load.finish();
    BOOST_TEST((first == second && *first == 5));
}

BOOST_AUTO_TEST_CASE(pointers_have_their_golden_bytes)
{
    rows golden("pointers.txt");
    check_shared(golden);
    check_polymorphic(golden);
    check_owners(golden);
    check_aliased(golden);
    check_weak(golden);
    check_construct_data(golden);
    check_two_values(golden);
}

BOOST_AUTO_TEST_CASE(tracked_values_have_their_golden_bytes)
{
    rows golden("tracking.txt");
    golden.check("tracked value", counter{5});
    golden.check("the same object twice", twice{{5}, {6}},
                 [](const twice& back) { return back.a.n == 5 && back.b.n == 6; });
    golden.check("tracked elements", std::vector{counter{5}, counter{6}});
    tracked_bottom diamond;
    diamond.t = 1;
    diamond.l = 2;
    diamond.r = 3;
    diamond.b = 4;
    golden.check("tracked virtual base of a diamond", diamond, [](const tracked_bottom& back) {
        return back.t == 1 && back.l == 2 && back.r == 3 && back.b == 4;
    });
    const auto five = std::make_shared<std::uint8_t>(std::uint8_t{5});
    const auto seven = std::make_shared<std::uint8_t>(std::uint8_t{7});
    golden.check("tracked value between pointers", make_parts(five, counter{6}, seven, five, seven),
                 [](const auto& p) {
                     const auto& [a, value, b, again, last] = p.all;
                     return *a == 5 && value.n == 6 && *b == 7 && again == a && last == b;
                 });
}

BOOST_AUTO_TEST_CASE(versions_have_their_golden_bytes)
{
    rows golden("versions.txt");
    golden.check("element at a version", std::vector{outer{{7}}});
    golden.check("no element, no version", std::vector<versioned>());
    golden.check("one version for many objects", std::vector{versioned{1, 2}, versioned{3, 4}});
    // Row 66: the version of a base travels too.
    vderived derived;
    derived.a = 5;
    derived.b = 6;
    golden.check("base at a version of its own", derived);
    auto round = std::make_shared<vcircle>();
    round->id = 1;
    round->radius = 9;
    golden.check("behind a pointer to a base", std::shared_ptr<vshape>(round), [](const auto& p) {
        const auto* back = dynamic_cast<const vcircle*>(p.get());
        return back && back->id == 1 && back->radius == 9;
    });
    const vtown ur(label{"Ur"}, 5);
    golden.check("construct data with a version", std::make_shared<vtown>(ur),
                 [&](const auto& p) { return *p == ur; });
    golden.check("element with construct data", std::vector{ur});
    golden.check("level object_serializable", std::pair(plain_label{"Ur"}, inner{7}));
    golden.check_load<versioned>("class at version 0, known at 2", [](const auto& v) {
        return v == versioned{1, 7};
    });
    golden.check_load<versioned>("class at version 1, known at 2", [](const auto& v) {
        return v == versioned{1, 7};
    });
    golden.check_load<vderived>("base at an older version",
                                [](const auto& v) { return v.a == 5 && v.b == 6; });
}

BOOST_AUTO_TEST_SUITE_END()
