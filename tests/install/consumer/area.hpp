// The command of a user's service: both ends include it. What it carries is known by its base class
// only, so that the classes which a program exports have to reach the registry in the shared
// library.
#pragma once

#include <wharf/archive.hpp>

#include <boost/serialization/base_object.hpp>
#include <boost/serialization/export.hpp>
#include <boost/serialization/nvp.hpp>
#include <boost/serialization/shared_ptr.hpp>

#include <memory>
#include <string_view>

struct shape {
    virtual ~shape() = default;
    virtual double area() const { return 0; }
    template <class Archive>
    void serialize(Archive&, unsigned /*version*/)
    {}
};

struct square : shape {
    double side = 0;
    double area() const override { return side * side; }
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_BASE_OBJECT_NVP(shape) & BOOST_SERIALIZATION_NVP(side);
    }
};
BOOST_CLASS_EXPORT(square)

struct area {
    using reply = double;
    static constexpr std::string_view name = "shapes.area";
    std::shared_ptr<shape> of;
    template <class Archive>
    void serialize(Archive& ar, unsigned /*version*/)
    {
        ar& BOOST_SERIALIZATION_NVP(of);
    }
};
