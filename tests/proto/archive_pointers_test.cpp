// Objects behind pointers: shared once, owned once, of the class that they were made as.
#include "archive_pointers_types.hpp"
#include "archive_support.hpp"

#include <boost/make_shared.hpp>
#include <boost/serialization/scoped_ptr.hpp>
#include <boost/serialization/shared_ptr.hpp>
#include <boost/serialization/weak_ptr.hpp>
#include <boost/weak_ptr.hpp>

BOOST_CLASS_EXPORT_IMPLEMENT(pointer_types::circle)
BOOST_CLASS_EXPORT_IMPLEMENT(pointer_types::label)
BOOST_CLASS_EXPORT_IMPLEMENT(pointer_types::dog)
BOOST_CLASS_EXPORT_IMPLEMENT(pointer_types::amphibian)
BOOST_CLASS_EXPORT_IMPLEMENT(pointer_types::twin)
BOOST_CLASS_EXPORT_IMPLEMENT(pointer_types::other_twin)

using namespace archive_support;
using namespace pointer_types;
using wharf::errc;

namespace {

template <class T>
void check_store_fails(const T& value, errc code)
{
    BOOST_CHECK_EXCEPTION(wharf::to_bytes(value), wharf::error,
                          [&](const wharf::error& e) { return e.code() == code; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(archive_pointers)

BOOST_AUTO_TEST_CASE(row_63_an_object_is_written_once_however_many_pointers)
{
    auto shared = std::make_shared<node>();
    shared->id = 7;
    const auto top = std::make_shared<node>();
    top->left = top->right = shared;
    const std::vector all{top, shared, std::shared_ptr<node>()};
    const auto back = round_trip(all);
    BOOST_REQUIRE_EQUAL(back.size(), 3u);
    BOOST_TEST(back[0]->left == back[0]->right);
    BOOST_TEST(back[0]->left == back[1]);
    BOOST_TEST(back[1]->id == 7u);
    BOOST_TEST(back[1].use_count() == 3); // nothing of the archive is left
    BOOST_TEST(back[2] == nullptr);
}

BOOST_AUTO_TEST_CASE(row_63_weak_pointers_may_close_a_cycle_and_strong_ones_may_not)
{
    const auto top = std::make_shared<node>();
    top->left = std::make_shared<node>();
    top->left->parent = top;
    const auto back = round_trip(top);
    BOOST_TEST(back->left->parent.lock() == back);
    top->left->right = top;
    check_store_fails(top, errc::ownership_cycle);
    top->left->right.reset();
    const int before = counted::alive;
    BOOST_TEST(refusal_of<std::shared_ptr<node>>({0x00, 0x01, 0x07, 0x00, 0x00, 0x00, 0x02, 0x00,
                                                  0x00}) == errc::ownership_cycle);
    BOOST_TEST(counted::alive == before);
}

BOOST_AUTO_TEST_CASE(what_a_weak_pointer_names_first_cannot_own_what_the_pointer_is_in)
{
    const auto owner = std::make_shared<node>();
    owner->left = std::make_shared<node>();
    owner->left->parent = owner;
    BOOST_CHECK_EXCEPTION(wharf::to_bytes(owner->left), wharf::error, [](const wharf::error& e) {
        return e.code() == errc::ownership_cycle &&
               e.text().ends_with("in _3._1: the object is being stored; if it was met here by a "
                                  "weak_ptr, store what owns it before");
    });
    // The same in bytes: object 0, whose parent is object 1, whose left is object 0.
    BOOST_TEST(refusal_of<std::shared_ptr<node>>({0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                                  0x01, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00,
                                                  0x00}) == errc::ownership_cycle);
    const std::vector all{owner, owner->left};
    BOOST_TEST(round_trip(all)[1]->parent.lock()->left->id == 0u);
}

BOOST_AUTO_TEST_CASE(what_stood_below_an_object_that_is_gone_may_not_be_stored_again)
{
    // A weak pointer to object 0, whose left, object 1, owns object 2, whose parent is object 1;
    // and an owner of object 2. After the load objects 0 and 1 are gone unless something else owns
    // them: object 1 is owned by the last pointer, and object 2 is now met before it.
    const bytes message =
        make_bytes({0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
                    0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x04, 0x03});
    using three = std::tuple<std::weak_ptr<node>, std::shared_ptr<node>, std::shared_ptr<node>>;
    const auto back = wharf::from_bytes<three>(message);
    BOOST_TEST(std::get<0>(back).expired());
    BOOST_TEST(std::get<1>(back)->parent.lock() == std::get<2>(back));
    BOOST_TEST(std::get<2>(back)->left == std::get<1>(back));
    check_store_fails(back, errc::ownership_cycle);
    const std::tuple owner_first(std::get<2>(back), std::get<1>(back));
    BOOST_TEST(std::get<0>(round_trip(owner_first))->left != nullptr);
}

BOOST_AUTO_TEST_CASE(an_object_that_only_a_weak_pointer_names_ends_with_the_message)
{
    const auto alive = std::make_shared<node>();
    const std::weak_ptr<node> weak = alive;
    const bytes message = wharf::to_bytes(weak);
    std::weak_ptr<node> back;
    wharf::load_archive in(message);
    in >> back;
    BOOST_TEST(!back.expired());
    in.finish();
    BOOST_TEST(back.expired());
}

BOOST_AUTO_TEST_CASE(an_object_comes_back_as_the_class_that_it_was)
{
    auto round = std::make_shared<circle>();
    round->radius = 2;
    round->colour = 5;
    const auto text = std::make_shared<label>();
    text->text = "round";
    text->around = round;
    const std::vector<std::shared_ptr<shape>> all{round, text, round, std::make_shared<shape>()};
    const auto back = round_trip(all);
    BOOST_TEST(back[0]->area() == 12);
    BOOST_TEST(back[0]->colour == 5);
    BOOST_TEST(back[0] == back[2]);
    const auto& text_back = dynamic_cast<const label&>(*back[1]);
    BOOST_TEST(text_back.text == "round");
    BOOST_TEST(text_back.around == back[0]);
    BOOST_TEST((typeid(*back[3]) == typeid(shape)));
    // Its version is in the table, as of every class.
    BOOST_TEST(to_hex(wharf::to_bytes(all)).substr(0, 6) == "01 03 ");
}

BOOST_AUTO_TEST_CASE(row_66_a_base_keeps_its_own_version_and_a_diamond_has_one_base)
{
    auto both = std::make_shared<amphibian>();
    both->weight = 900;
    both->wheels = 4;
    both->masts = 1;
    const std::tuple<std::shared_ptr<vehicle>, std::shared_ptr<boat>, std::shared_ptr<car>> all{
        both, both, both};
    const auto back = round_trip(all);
    const auto& vehicle_back = std::get<0>(back);
    BOOST_TEST(vehicle_back->weight == 900);
    BOOST_TEST(std::get<1>(back)->masts == 1);
    BOOST_TEST(std::get<2>(back)->wheels == 4);
    BOOST_TEST(dynamic_cast<const void*>(vehicle_back.get()) ==
               dynamic_cast<const void*>(std::get<1>(back).get()));
    BOOST_TEST(vehicle_back.use_count() == 3);
}

BOOST_AUTO_TEST_CASE(abstract_bases_and_sole_owners)
{
    auto loud = std::make_unique<dog>();
    loud->volume = 3;
    const std::unique_ptr<animal> pet = std::move(loud);
    const bytes message = wharf::to_bytes(pet);
    const auto back = wharf::from_bytes<std::unique_ptr<animal>>(message);
    BOOST_TEST(back->sound() == "www");
    BOOST_TEST(to_hex(message) == "00 01 00 03 64 6f 67 03 00 00 00");
    BOOST_TEST(!wharf::from_bytes<std::unique_ptr<animal>>(make_bytes({0x00, 0x00})));
}

BOOST_AUTO_TEST_CASE(values_may_be_behind_pointers_too)
{
    BOOST_TEST(*round_trip(std::make_shared<int>(5)) == 5);
    BOOST_TEST(*round_trip(std::make_shared<const std::string>("const")) == "const");
    const auto words = std::make_shared<std::vector<std::string>>(2, "word");
    const std::pair two{words, words};
    const auto back = round_trip(two);
    BOOST_TEST(back.first == back.second);
    BOOST_TEST(*back.first == *words);
    const bytes message = wharf::to_bytes(std::make_unique<double>(1.5));
    BOOST_TEST(*wharf::from_bytes<std::unique_ptr<double>>(message) == 1.5);
}

BOOST_AUTO_TEST_CASE(boost_smart_pointers_share_as_those_of_std_do)
{
    const auto one = boost::make_shared<circle>();
    one->radius = 1;
    const std::tuple<boost::shared_ptr<shape>, boost::shared_ptr<circle>, boost::weak_ptr<shape>>
        all{one, one, one};
    const auto back = round_trip(all);
    BOOST_TEST(std::get<0>(back) == std::get<1>(back));
    BOOST_TEST(std::get<2>(back).lock() == std::get<0>(back));
    BOOST_TEST(std::get<0>(back).use_count() == 2);
    boost::scoped_ptr<label> alone(new label);
    alone->text = "alone";
    const bytes message = wharf::to_bytes(alone);
    boost::scoped_ptr<label> alone_back;
    wharf::load_archive in(message);
    in >> alone_back;
    in.finish();
    BOOST_TEST(alone_back->text == "alone");
}

BOOST_AUTO_TEST_CASE(a_derived_class_without_key_is_refused_until_it_is_registered)
{
    const std::shared_ptr<shape> odd = [] {
        auto made = std::make_shared<square>();
        made->side = 4;
        return made;
    }();
    BOOST_CHECK_EXCEPTION(wharf::to_bytes(odd), wharf::error, [](const wharf::error& e) {
        return e.code() == errc::unregistered_class &&
               e.text().find("pointer_types::square") != std::string::npos;
    });
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store.register_type<square>();
    store << odd;
    store.flush();
    BOOST_TEST(to_hex({out.data(), out.data() + out.size()}) == "00 01 01 00 00 00 00 04 00 00 00");
    wharf::load_archive load(out.view());
    load.register_type(static_cast<square*>(nullptr));
    std::shared_ptr<shape> back;
    load >> back;
    load.finish();
    BOOST_TEST(dynamic_cast<const square&>(*back).side == 4);
    wharf::load_archive unprepared(out.view());
    BOOST_CHECK_EXCEPTION(unprepared >> back, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::bad_class; });
}

BOOST_AUTO_TEST_CASE(a_key_of_two_classes_is_refused_by_naming_both)
{
    const auto names_both = [](errc code) {
        return [code](const wharf::error& e) {
            return e.code() == code && e.text().find("pointer_types::twin") != std::string::npos &&
                   e.text().find("pointer_types::other_twin") != std::string::npos;
        };
    };
    const std::shared_ptr<shape> one = std::make_shared<twin>();
    BOOST_CHECK_EXCEPTION(wharf::to_bytes(one), wharf::error, names_both(errc::unregistered_class));
    const bytes message = make_bytes({0, 1, 0, 4, 't', 'w', 'i', 'n', 0, 0, 0, 0});
    BOOST_CHECK_EXCEPTION(wharf::from_bytes<std::shared_ptr<shape>>(message), wharf::error,
                          names_both(errc::bad_class));
}

BOOST_AUTO_TEST_CASE(what_has_no_default_constructor_is_built_from_construct_data)
{
    numbered one(1);
    one.note = "one";
    BOOST_TEST((*round_trip(std::make_shared<numbered>(one)) == one));
    const auto all = wharf::to_bytes(std::vector{one, numbered(2)});
    std::vector<numbered> back;
    wharf::load_archive(all) >> back;
    BOOST_TEST((back == std::vector{one, numbered(2)}));
    BOOST_TEST((round_trip(std::list{one}) == std::list{one}));
    BOOST_TEST((round_trip(std::forward_list{one}) == std::forward_list{one}));
    BOOST_TEST((round_trip(std::set{one}) == std::set{one}));
    const std::map<int, numbered> mapped{{5, one}, {6, numbered(9)}};
    BOOST_TEST((round_trip(mapped) == mapped));
    const std::map<numbered, int> keyed{{one, 5}, {numbered(9), 6}};
    BOOST_TEST((round_trip(keyed) == keyed));
    const std::map<numbered, numbered> twice{{one, one}};
    BOOST_TEST((round_trip(twice) == twice));
    const std::unordered_map<int, numbered> hashed{{5, one}};
    BOOST_TEST((round_trip(hashed) == hashed));
    BOOST_TEST((round_trip(std::optional(one)) == std::optional(one)));
    const std::variant<int, numbered> either = one;
    BOOST_TEST((round_trip(either) == either));
}

BOOST_AUTO_TEST_CASE(private_constructors_are_for_boost_access)
{
    BOOST_TEST(round_trip(secret::make(8))->value() == 8);
}

BOOST_AUTO_TEST_CASE(a_class_s_own_new_and_delete_are_a_pair)
{
    {
        const auto one = std::make_unique<pooled>();
        const bytes message = wharf::to_bytes(one);
        const auto back = wharf::from_bytes<std::unique_ptr<pooled>>(message);
        const auto shared = wharf::from_bytes<std::shared_ptr<pooled>>(message);
        BOOST_TEST(pooled::blocks == 3);
    }
    BOOST_TEST(pooled::blocks == 0);
}

BOOST_AUTO_TEST_CASE(raw_pointers_of_one_owner)
{
    const int before = counted::alive;
    {
        tree top;
        top.left = new tree;
        top.left->key = 3;
        const bytes message = wharf::to_bytes(top);
        tree back;
        wharf::load_archive in(message);
        in >> back;
        in.finish();
        BOOST_TEST(back.left->key == 3);
        BOOST_TEST(back.right == nullptr);
        top.right = top.left;
        check_store_fails(top, errc::pointer_conflict);
        top.right = nullptr;
        const bytes twice = make_bytes({0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2});
        tree refused;
        wharf::load_archive bad(twice);
        BOOST_CHECK_EXCEPTION(bad >> refused, wharf::error, [](const wharf::error& e) {
            return e.code() == errc::bad_ownership;
        });
    }
    BOOST_TEST(counted::alive == before);
}

BOOST_AUTO_TEST_CASE(raw_pointers_that_own_nothing_may_form_rings)
{
    const int before = counted::alive;
    {
        ring a, b;
        a.next = &b;
        b.next = &a;
        b.key = 2;
        const bytes message = wharf::to_bytes(static_cast<const ring*>(&a));
        ring* back = nullptr;
        wharf::load_archive in(message);
        in >> back;
        in.finish();
        BOOST_TEST(back->next->key == 2);
        BOOST_TEST(back->next->next == back);
        delete back->next;
        delete back;
        bytes cut(message.begin(), message.end() - 1);
        ring* failed = nullptr;
        wharf::load_archive bad(cut);
        BOOST_CHECK_THROW(bad >> failed, wharf::error);
    }
    BOOST_TEST(counted::alive == before);
}

BOOST_AUTO_TEST_CASE(raw_pointers_do_not_reach_objects_of_an_earlier_value)
{
    ring one;
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    ring* pointer = &one;
    store << pointer;
    BOOST_CHECK_EXCEPTION(store << pointer, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::pointer_conflict; });
    const bytes message = make_bytes({0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02});
    wharf::load_archive load(message);
    ring* back = nullptr;
    load >> back;
    const std::unique_ptr<ring> owner(back);
    BOOST_CHECK_EXCEPTION(load >> back, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::bad_ownership; });
}

BOOST_AUTO_TEST_CASE(objects_of_untracked_classes_are_written_in_full_each_time)
{
    auto one = std::make_unique<untracked>();
    one->x = 1;
    const std::pair<std::unique_ptr<untracked>, std::unique_ptr<untracked>> two{
        std::move(one), std::make_unique<untracked>()};
    BOOST_TEST(to_hex(wharf::to_bytes(two)) == "00 01 01 00 00 00 01 00 00 00 00");
}

BOOST_AUTO_TEST_CASE(a_tracked_value_is_written_once_where_it_is_visited_twice)
{
    tracked value;
    value.x = 3;
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << value << value;
    store.flush();
    BOOST_TEST(to_hex({out.data(), out.data() + out.size()}) == "00 01 03 00 00 00 02");
    tracked back, other;
    wharf::load_archive load(out.view());
    load >> back >> back;
    load.finish();
    BOOST_TEST((back == value));
    wharf::load_archive elsewhere(out.view());
    elsewhere >> back;
    BOOST_CHECK_EXCEPTION(elsewhere >> other, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::bad_reference; });
}

BOOST_AUTO_TEST_CASE(an_object_behind_a_pointer_is_not_stored_by_value_as_well)
{
    const auto one = std::make_shared<node>();
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << one;
    BOOST_CHECK_EXCEPTION(store << *one, wharf::error,
                          [](const wharf::error& e) { return e.code() == errc::pointer_conflict; });
    store << one; // the message is as it was before the failure
    store.flush();
    BOOST_TEST(to_hex({out.data(), out.data() + out.size()}) == "00 01 00 00 00 00 00 00 00 02");
}

BOOST_AUTO_TEST_CASE(a_failed_value_takes_its_objects_and_classes_back)
{
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    const auto fine = std::make_shared<circle>();
    const auto text = std::make_shared<label>();
    text->around = std::make_shared<square>();
    BOOST_CHECK_THROW(store << text, wharf::error);
    const std::shared_ptr<shape> as_shape = fine;
    text->around = fine;
    store << as_shape << text;
    store.flush();
    const bytes message(out.data(), out.data() + out.size());
    wharf::byte_buffer fresh;
    wharf::store_archive again(fresh);
    again << as_shape << text;
    again.flush();
    BOOST_TEST(to_hex(message) == to_hex({fresh.data(), fresh.data() + fresh.size()}));
}

BOOST_AUTO_TEST_CASE(each_message_has_its_own_objects)
{
    const auto one = std::make_shared<node>();
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << one;
    store.flush();
    const std::size_t first = out.size();
    store << one;
    store.flush();
    const bytes all(out.data(), out.data() + out.size());
    BOOST_TEST(to_hex({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)}) ==
               to_hex({all.begin() + static_cast<std::ptrdiff_t>(first), all.end()}));
}

BOOST_AUTO_TEST_CASE(a_temporary_that_is_stored_lives_until_the_message_is_complete)
{
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    for (int i = 0; i < 100; ++i)
        store << std::make_shared<int>(i);
    store.flush();
    wharf::load_archive load(out.view());
    for (int i = 0; i < 100; ++i) {
        std::shared_ptr<int> back;
        load >> back;
        BOOST_TEST(*back == i);
    }
    load.finish();
}

BOOST_AUTO_TEST_CASE(containers_ordered_by_address_load_in_any_order)
{
    // Made in both orders, so that one of the two is not the order of the message.
    std::set<std::shared_ptr<int>> set;
    std::map<std::shared_ptr<int>, int> map;
    for (int i = 0; i < 50; ++i) {
        set.insert(std::make_shared<int>(i));
        map.emplace(std::make_shared<int>(i), i);
    }
    const auto set_back = wharf::from_bytes<std::set<std::shared_ptr<int>>>(wharf::to_bytes(set));
    BOOST_TEST(set_back.size() == 50u);
    const auto map_back =
        wharf::from_bytes<std::map<std::shared_ptr<int>, int>>(wharf::to_bytes(map));
    BOOST_TEST(map_back.size() == 50u);
    for (const auto& [key, value] : map_back)
        BOOST_TEST(*key == value);
    const auto twice = make_bytes({0, 2, 1, 1, 0, 0, 0, 2});
    BOOST_TEST(refusal_of<std::set<std::shared_ptr<int>>>(twice) == errc::not_canonical);
    std::vector<std::byte> descending = make_bytes({0, 40});
    for (int i = 0; i < 40; ++i) // forty new objects, then nothing else: addresses as malloc gives
        for (const int byte : {1, i, 0, 0, 0})
            descending.push_back(static_cast<std::byte>(byte));
    BOOST_TEST(refusal_of<std::set<std::shared_ptr<int>>>(descending) == errc{});
}

BOOST_AUTO_TEST_CASE(row_62_chains_of_owners_and_the_number_of_objects_are_limited)
{
    std::vector<std::shared_ptr<node>> chain;
    for (int i = 0; i < 100; ++i) {
        chain.push_back(std::make_shared<node>());
        if (i > 0)
            chain.back()->left = chain[static_cast<std::size_t>(i) - 1];
    }
    const bytes message = wharf::to_bytes(chain);
    using type = decltype(chain);
    const auto fails_with = [&](wharf::limits limit) -> std::optional<errc> {
        try {
            wharf::from_bytes<type>(message, limit);
            return std::nullopt;
        }
        catch (const wharf::error& e) {
            return e.code();
        }
    };
    BOOST_TEST((fails_with({.chain_max = 99}) == errc::chain_limit));
    BOOST_TEST((fails_with({.chain_max = 100}) == std::nullopt));
    BOOST_TEST((fails_with({.objects_max = 99}) == errc::object_limit));
    BOOST_TEST((fails_with({.objects_max = 100}) == std::nullopt));
}

namespace {
struct count_helper {
    int visits = 0;
};
struct other_helper {
    std::string text;
};
struct helped {
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        ++ar.template get_helper<count_helper>(this).visits;
        ar.template get_helper<other_helper>(this).text += "x";
        std::int32_t visits = ar.template get_helper<count_helper>(this).visits;
        ar& visits;
    }
};
struct asks_context {
    int seen = -1;
    template <class Archive>
    void serialize(Archive& ar, unsigned)
    {
        std::uint8_t is_there = 1;
        ar& is_there;
        if (const int* found = ar.template context<int>())
            seen = *found;
    }
};
} // namespace

BOOST_AUTO_TEST_CASE(helpers_go_by_identifier_and_type_and_live_for_one_message)
{
    helped value;
    wharf::byte_buffer out;
    wharf::store_archive store(out);
    store << value << value;
    store.flush();
    store << value;
    store.flush();
    BOOST_TEST(to_hex({out.data(), out.data() + out.size()}) ==
               "00 01 00 00 00 02 00 00 00 00 01 00 00 00");
}

BOOST_AUTO_TEST_CASE(row_50_a_context_is_visible_in_serialize)
{
    asks_context value;
    const bytes message = wharf::to_bytes(value);
    int principal = 42;
    wharf::load_archive load(message);
    load.set_context(principal);
    BOOST_TEST(load.context<std::string>() == nullptr);
    load >> value;
    BOOST_TEST(value.seen == 42);
    value.seen = -1;
    wharf::load_archive(message) >> value;
    BOOST_TEST(value.seen == -1);
}

BOOST_AUTO_TEST_SUITE_END()
