#include "http/address_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

namespace llm_edge_cache::http {
namespace {

using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kStart{};

Endpoint at(const std::string& address) {
  return {boost::asio::ip::make_address(address), 443};
}

std::vector<Endpoint> all_at(const std::vector<std::string>& addresses) {
  std::vector<Endpoint> endpoints;
  for (const auto& address : addresses) endpoints.push_back(at(address));
  return endpoints;
}

TEST(AddressBookTest, addresses_of_one_family_keep_the_resolvers_order) {
  const AddressBook book;
  EXPECT_THAT(book.order({}, kStart), IsEmpty());
  EXPECT_EQ(book.order(all_at({"10.0.0.3", "10.0.0.1", "10.0.0.2"}), kStart),
            all_at({"10.0.0.3", "10.0.0.1", "10.0.0.2"}));
}

TEST(AddressBookTest, families_take_turns_and_the_resolvers_first_comes_first) {
  const AddressBook book;
  EXPECT_EQ(book.order(all_at({"::1", "::2", "::3", "10.0.0.1"}), kStart),
            all_at({"::1", "10.0.0.1", "::2", "::3"}));
  EXPECT_EQ(book.order(all_at({"10.0.0.1", "::1", "::2", "10.0.0.2"}), kStart),
            all_at({"10.0.0.1", "::1", "10.0.0.2", "::2"}));
}

TEST(AddressBookTest, dead_address_comes_last_until_it_answers) {
  AddressBook book;
  book.note_dead(at("::1"), kStart);
  EXPECT_EQ(book.order(all_at({"::1", "10.0.0.1", "::2"}), kStart),
            all_at({"10.0.0.1", "::2", "::1"}));
  book.note_alive(at("::1"));
  EXPECT_EQ(book.order(all_at({"::1", "10.0.0.1"}), kStart), all_at({"::1", "10.0.0.1"}));
}

TEST(AddressBookTest, other_port_of_a_dead_address_is_another_server) {
  AddressBook book;
  book.note_dead({at("10.0.0.1").address(), 80}, kStart);
  EXPECT_EQ(book.order(all_at({"10.0.0.1", "10.0.0.2"}), kStart), all_at({"10.0.0.1", "10.0.0.2"}));
}

TEST(AddressBookTest, death_is_forgotten_after_a_while_from_its_last_news) {
  AddressBook book;
  const auto both = all_at({"10.0.0.1", "10.0.0.2"});
  book.note_dead(both.front(), kStart);
  book.note_dead(both.front(), kStart + minutes(5));
  EXPECT_EQ(book.order(both, kStart + minutes(14)).front(), both.back());
  EXPECT_EQ(book.order(both, kStart + minutes(15)).front(), both.front());
}

TEST(AddressBookTest, remembers_no_more_than_its_bound_and_forgets_the_oldest) {
  AddressBook book;
  for (std::size_t i = 0; i <= AddressBook::kMaxRemembered; ++i) {
    book.note_dead(at("10.0.0." + std::to_string(i)), kStart);
  }
  EXPECT_EQ(book.order(all_at({"10.0.0.0", "10.0.0.1", "10.1.0.0"}), kStart),
            all_at({"10.0.0.0", "10.1.0.0", "10.0.0.1"}));
}

}  // namespace
}  // namespace llm_edge_cache::http
