// A daemon of version VERSION: see commands.hpp.
#include "commands.hpp"

#include <wharf/daemon.hpp>
#include <wharf/service.hpp>

BOOST_CLASS_EXPORT_IMPLEMENT(circle)
#if VERSION >= 3
BOOST_CLASS_EXPORT_IMPLEMENT(square)
#endif

namespace {

struct service {
    void serve(wharf::router& router)
    {
        router.on<measure>([](const measure& c) { return answer_measure(c); });
        router.on<measure_later>(
            [](measure_later c) -> wharf::awaitable<measured> { co_return answer_measure(c); });
        router.on<measure_slowly>(wharf::blocking,
                                  [](const measure_slowly& c) { return answer_measure(c); });
        router.on<measure_at_client>(
            [](measure_at_client, wharf::call& current) -> wharf::awaitable<measured> {
                const measure own = full_measure<measure>();
                measured answer = co_await current.session().async_call(own);
                measured made = answer_measure(own);
                made.seen = answer.seen + "/" + show(answer.most) + " " + show_rest(answer);
                co_return made;
            });
        router.on<turn_around>([](turn_around c, wharf::source<part>& in,
                                  wharf::sink<part>& out) -> wharf::awaitable<void> {
            co_await out.async_send(c.first);
            while (auto next = co_await in.async_next()) {
                part back = full_part("seen " + show(*next));
                co_await out.async_send(back);
            }
        });
        router.on<collect>(
            [](collect, wharf::source<part>& in) -> wharf::awaitable<std::vector<std::string>> {
                std::vector<std::string> seen;
                while (auto next = co_await in.async_next())
                    seen.push_back(show(*next));
                co_return seen;
            });
        router.on<stubborn>([](const stubborn&) {});
        router.on<ask_stubborn>([this](const ask_stubborn&) {
            ++asked;
            return stubborn_answer();
        });
    }
    int asked = 0;
};

} // namespace

int main(int argc, char** argv)
{
    wharf::daemon daemon(argc, argv);
    daemon.serve(service{});
    return daemon.run();
}
