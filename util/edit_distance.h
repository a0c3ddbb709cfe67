// Which known name somebody meant who misspelt one.
#ifndef SEEDTUNE_UTIL_EDIT_DISTANCE_H_
#define SEEDTUNE_UTIL_EDIT_DISTANCE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace seedtune {

// How many characters to insert, delete, replace, or swap with their neighbour to get from one to
// the other (optimal string alignment), letters compared without case. Time and space: the product
// of the sizes.
int EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to `name`, the first of equals; nullopt if none is near enough to be what
// was meant (more than a third of its characters differ). Thread-safe.
std::optional<std::string> NearestName(std::string_view name,
                                       std::span<const std::string_view> candidates);
std::optional<std::string> NearestName(std::string_view name,
                                       std::span<const std::string> candidates);

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_EDIT_DISTANCE_H_
